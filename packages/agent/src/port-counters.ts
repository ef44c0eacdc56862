import type { LinkStatistics, Traffic } from '@tapestry/linux';
import { type Attachment, podModes } from './attach/attachment.ts';

const help = {
	packets: 'Packets that the workload',
	bytes: 'Bytes that the workload',
	dropped: 'Packets lost at the device before the workload',
} as const;

/**
 * Traffic of each workload as counters in Prometheus text format 0.0.4, seen from the workload as KubeVirt's and cAdvisor's are. A lifted NIC is in no
 * namespace where those look. A machine whose tap waits for its VMM has no counters, and a tap made anew begins at zero.
 * @param statistics of the node's devices by name
 */
export function renderPortCounters(attachments: readonly Attachment[], statistics: ReadonlyMap<string, LinkStatistics>): string {
	const counted = attachments.flatMap((attachment) => {
		const found = statistics.get(attachment.device);
		// What the workload receives, the device sends.
		return found ? [{ labels: labelsOf(attachment), receive: found.sent, transmit: found.received }] : [];
	});
	const lines = (['receive', 'transmit'] as const).flatMap((way) =>
		(Object.keys(help) as (keyof Traffic)[]).flatMap((what) => {
			const name = `tapestry_port_${way}_${what}_total`;
			return [
				`# HELP ${name} ${help[what]} ${way === 'receive' ? 'received' : 'sent'}.`,
				`# TYPE ${name} counter`,
				...counted.map((port) => `${name}{${port.labels}} ${port[way][what]}`),
			];
		}),
	);
	return `${lines.join('\n')}\n`;
}

function labelsOf({ mode, pod, port }: Attachment): string {
	// A machine outlives its launcher pod; its port is named after it.
	const machine = port.name.replace(new RegExp(`\\.${pod.namespace}(\\.[0-9a-f]{8})?$`), '');
	const [kind, name] = podModes.includes(mode) ? ['pod', pod.name] : ['machine', machine];
	return `namespace="${pod.namespace}",name="${name}",kind="${kind}"`;
}
