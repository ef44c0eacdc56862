import type { Clock, Logger } from '@tapestry/base';
import { createWorkQueue, hasEnded, type Pod, type Reflector, type WorkQueue } from '@tapestry/kube';
import { labels } from '@tapestry/network';
import { type Attachment, type AttachmentModes, attachmentKey } from './attach/attachment.ts';
import type { Journal } from './attach/journal.ts';
import { requireMode } from './cni/attachment-of.ts';
import { deadline } from './deadline.ts';
import type { WorkloadSource } from './leases/workload-source.ts';

export interface HostLauncherDeps {
	readonly clock: Clock;
	readonly random: () => number;
	readonly log: Logger;
	/** The pods of this node. */
	readonly pods: Reflector<Pod>;
	readonly source: WorkloadSource;
	readonly journal: Journal;
	readonly modes: AttachmentModes;
}

/** Milliseconds for an attachment: its lease and flows have to come. */
const attachMs = 60_000;
const removeMs = 20_000;
/** Launchers that are attached at once. */
const concurrency = 8;
/** KubeVirt's name of the pod network's interface; the pod has none, but the attachment needs one. */
const ifname = 'eth0';

/**
 * Attaches the machines whose launchers are in the node's own network namespace: no runtime calls the plugin for them, so what the API says of the
 * node's pods does. A launcher that has ended or gone is detached.
 */
export async function followHostLaunchers(deps: HostLauncherDeps, signal: AbortSignal): Promise<void> {
	const queue: WorkQueue = createWorkQueue(deps);
	const stop = deps.pods.onChange(({ before, after }) => {
		for (const pod of [before, after]) if (pod && isHostLauncher(pod)) queue.add(pod.metadata.uid ?? '');
	});
	try {
		await deps.pods.synced(signal);
		for (const pod of deps.pods.objects.values()) if (isHostLauncher(pod)) queue.add(pod.metadata.uid ?? '');
		// Those whose pods went while no agent ran.
		for (const entry of deps.journal.all()) if (entry.mode === 'tap') queue.add(entry.containerId);
		await queue.run(concurrency, (uid) => settle(deps, uid, signal), signal);
	} finally {
		stop();
	}
}

async function settle(deps: HostLauncherDeps, uid: string, signal: AbortSignal): Promise<void> {
	const { clock, journal, log, modes, pods, source } = deps;
	const id = { containerId: uid, ifname };
	const mode = modes.tap;
	const pod = [...pods.objects.values()].find((one) => one.metadata.uid === uid);
	const present = journal.get(id);
	if (pod && isHostLauncher(pod) && !hasEnded(pod)) {
		if (present?.complete) return;
		using limit = deadline(clock, attachMs, signal);
		if (present) await detach(deps, present, signal);
		const ref = { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name, uid };
		const workload = await source.workload(ref, limit.signal);
		// Another mode in the node's namespace would rebuild the node's own network.
		if (workload.kind !== 'machine' || workload.mode !== 'tap' || workload.hostTap === undefined) {
			log.error('a launcher with hostNetwork is not connected: its mode is not tap', { pod: ref, mode: workload.kind });
			return;
		}
		await requireMode(mode, modes);
		const { port, queues, hostTap } = workload;
		const attachment: Attachment = {
			...id,
			...{ network: '', netns: '', pod: ref, mode: 'tap', device: hostTap, port, queues, complete: false },
		};
		journal.put(attachment);
		await mode.prepare(attachment);
		await mode.connect(attachment, limit.signal);
		journal.put({ ...attachment, complete: true });
		log.info('attached', { pod: ref, mode: 'tap', device: hostTap, port: port.name });
		return;
	}
	if (present) await detach(deps, present, signal);
}

async function detach({ clock, journal, log, modes }: HostLauncherDeps, attachment: Attachment, signal: AbortSignal): Promise<void> {
	using limit = deadline(clock, removeMs, signal);
	await modes[attachment.mode].disconnect(attachment, limit.signal);
	journal.remove(attachment);
	log.info('detached', { attachment: attachmentKey(attachment), device: attachment.device });
}

function isHostLauncher({ metadata, spec }: Pod): boolean {
	return metadata.labels?.[labels.kubevirt] === 'virt-launcher' && spec?.hostNetwork === true;
}
