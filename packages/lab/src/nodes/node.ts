import { join } from 'node:path';
import { configureChassis, startOpenVswitch, startOvnController } from '../daemons/open-vswitch.ts';
import { type LabLayout, underlay } from '../layout.ts';
import type { ProcessDeps } from '../process.ts';
import { createNodeMounts, enterNode } from './mounts.ts';
import { addressNode, createNodeNetns } from './underlay.ts';

export interface LabNode {
	readonly name: string;
	/** From 1; decides the node's addresses. */
	readonly index: number;
	/** Its Open vSwitch has DPDK. */
	readonly dpdk: boolean;
}

/** @param dpdk names of the nodes whose Open vSwitch has DPDK */
export function labNodes(count: number, dpdk: readonly string[] = []): readonly LabNode[] {
	return Array.from({ length: count }, (_, i) => ({ name: `n${i + 1}`, index: i + 1, dpdk: dpdk.includes(`n${i + 1}`) }));
}

/** Makes a node up to its chassis: namespaces, underlay, Open vSwitch, ovn-controller. The agent and the kubelet come later. */
export async function createNode(deps: ProcessDeps, layout: LabLayout, node: LabNode, signal?: AbortSignal): Promise<void> {
	const { ovsDir, sbSocket } = layout.node(node.name);
	const [encapIp] = underlay.nodeAddresses(node.index);
	await createNodeNetns(deps, layout, node.name);
	await createNodeMounts(deps, layout, node.name);
	const options = { dir: ovsDir, enter: enterNode(layout, node.name), dpdk: node.dpdk, ...(signal ? { signal } : {}) };
	await startOpenVswitch(deps, options);
	await configureChassis(deps, { ...options, name: node.name, southbound: `unix:${sbSocket}`, encapIp, uplink: 'eth0' });
	await addressNode(deps, layout, node.name, node.index);
	await startOvnController(deps, options);
}

/** The log files of a node's daemons, by program. */
export function nodeLogs(layout: LabLayout, node: string): Readonly<Record<string, string>> {
	const { ovsDir } = layout.node(node);
	return {
		agent: join(layout.logs, `${node}-agent.log`),
		kubelet: join(layout.logs, `${node}-kubelet.log`),
		'ovs-vswitchd': join(ovsDir, 'ovs-vswitchd.log'),
		'ovn-controller': join(ovsDir, 'ovn-controller.log'),
	};
}
