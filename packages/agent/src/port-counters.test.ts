import { describe, expect, it } from 'vitest';
import type { Attachment, ModeName } from './attach/attachment.ts';
import { renderPortCounters } from './port-counters.ts';

function attachment(mode: ModeName, pod: string, port: string): Attachment {
	return {
		...{ containerId: pod, ifname: 'eth0', network: 'net', netns: '', mode, device: `dev-${pod}`, queues: 1, complete: true },
		pod: { namespace: 'blue', name: pod, uid: '' },
		port: { name: port, ownerUid: '', mac: '', addresses: [], mtu: 1442, subnet: '' },
	};
}
const statistics = new Map([
	['dev-web', { received: { packets: 1n, bytes: 2n, dropped: 3n }, sent: { packets: 4n, bytes: 5n, dropped: 6n } }],
	['dev-virt-launcher-db-x', { received: { packets: 7n, bytes: 8n, dropped: 9n }, sent: { packets: 0n, bytes: 2n ** 63n, dropped: 0n } }],
]);

describe('renderPortCounters', () => {
	it('counts as the workload does, under the name of the machine and not of its launcher', () => {
		const lines = renderPortCounters(
			[attachment('veth', 'web', 'web.blue'), attachment('lift', 'virt-launcher-db-x', 'db.blue.0123abcd')],
			statistics,
		).split('\n');
		expect(lines).toContain('# TYPE tapestry_port_receive_packets_total counter');
		expect(lines).toContain('tapestry_port_receive_packets_total{namespace="blue",name="web",kind="pod"} 4');
		expect(lines).toContain('tapestry_port_transmit_dropped_total{namespace="blue",name="web",kind="pod"} 3');
		expect(lines).toContain('tapestry_port_transmit_packets_total{namespace="blue",name="db",kind="machine"} 7');
		expect(lines).toContain('tapestry_port_receive_bytes_total{namespace="blue",name="db",kind="machine"} 9223372036854775808');
	});

	it('says nothing of a workload whose device is not on the node', () => {
		expect(renderPortCounters([attachment('lift', 'waiting', 'waiting.blue')], statistics)).not.toContain('waiting');
	});
});
