import { type LabLayout, podMtu, serviceCidr, underlay } from '../layout.ts';
import { enterNode } from '../nodes/mounts.ts';
import type { LabNode } from '../nodes/node.ts';
import type { ProcessDeps } from '../process.ts';
import { startProgram } from '../programs.ts';

/** The agent listens here for the CNI plugin; the path is the one that the seeds' configuration names. */
export const cniSocket = '/run/openvswitch/kube-ovn-daemon.sock';

export function startAgent(deps: ProcessDeps, layout: LabLayout, node: LabNode, signal?: AbortSignal): Promise<number> {
	const { apiSocket, ovsdb } = layout.node(node.name);
	return startProgram(deps, layout, {
		name: `${node.name}-agent`,
		main: 'agent/src/main.ts',
		enter: enterNode(layout, node.name),
		args: [
			`--kubeconfig=${layout.kubeconfig}`,
			`--api-socket=${apiSocket}`,
			`--node=${node.name}`,
			`--ovsdb=unix:${ovsdb}`,
			`--socket=${cniSocket}`,
			'--state=/run/tapestry',
			`--mtu=${podMtu}`,
			`--service-cidr=${serviceCidr}`,
		],
		...(signal ? { signal } : {}),
	});
}

export function startKubelet(deps: ProcessDeps, layout: LabLayout, node: LabNode, guest: string, signal?: AbortSignal): Promise<number> {
	const { apiSocket, kubeletState } = layout.node(node.name);
	return startProgram(deps, layout, {
		name: `${node.name}-kubelet`,
		main: 'lab/src/kubelet/main.ts',
		enter: enterNode(layout, node.name),
		args: [
			`--kubeconfig=${layout.kubeconfig}`,
			`--api-socket=${apiSocket}`,
			`--node=${node.name}`,
			`--node-ip=${underlay.nodeAddresses(node.index).join(',')}`,
			'--cni-bin-dir=/opt/cni/bin',
			'--cni-conf-dir=/etc/cni/net.d',
			`--state=${kubeletState}`,
			`--guest=${guest}`,
		],
		...(signal ? { signal } : {}),
	});
}
