import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabLayout } from '../layout.ts';
import { cniSocket } from '../up/node-programs.ts';

/**
 * Puts the CNI configuration and the plugin where the node will see them: in the upper directories of its overlays, which may only be
 * written before they are mounted. The plugin answers under Kube-OVN's name too, which the seeds' configurations call.
 */
export function installCni(layout: LabLayout, node: string, plugin: string): void {
	const upper = (path: string): string => join(layout.node(node).dir, 'fs', path);
	const configuration = {
		cniVersion: '1.0.0',
		name: 'kube-ovn',
		plugins: [{ type: 'kube-ovn', server_socket: cniSocket }],
	};
	const netd = upper('etc/upper/cni/net.d');
	mkdirSync(netd, { recursive: true });
	writeFileSync(join(netd, '01-kube-ovn.conflist'), `${JSON.stringify(configuration, undefined, 2)}\n`);
	const bin = upper('opt/upper/cni/bin');
	mkdirSync(bin, { recursive: true });
	for (const name of ['kube-ovn', 'tapestry']) copyFileSync(plugin, join(bin, name));
}
