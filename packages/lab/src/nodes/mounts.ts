import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LabLayout, labsRoot } from '../layout.ts';
import { type ProcessDeps, startDaemon } from '../process.ts';

/**
 * Gives the node a mount namespace: /run is its own, /etc, /opt and parts of /var are overlays, so that CNI's configuration, plugins and
 * state, and libvirt's places, are the node's and the machine's stay untouched. Labs' own files stay shared. A `sleep` holds the namespace; `$1` is the node's directory.
 */
const holder = `set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/openvswitch /run/shared
mount --bind "$2" /run/shared
# /var/lib is the last: what the overlays are made of is below it.
for d in etc opt var/log var/cache var/lib; do
  mkdir -p "$1/fs/$d/upper" "$1/fs/$d/work"
  mount -t overlay overlay -o "lowerdir=/$d,upperdir=$1/fs/$d/upper,workdir=$1/fs/$d/work" "/$d"
done
mount --bind /run/shared "$2"
umount /run/shared
rmdir /run/shared
mkdir -p /etc/cni/net.d /opt/cni/bin /var/lib/cni
echo ready >&3
exec 3>&-
exec sleep infinity`;

/** Starts the process that holds the node's namespaces. */
export async function createNodeMounts(deps: ProcessDeps, layout: LabLayout, node: string): Promise<void> {
	const { dir, netns } = layout.node(node);
	mkdirSync(dir, { recursive: true });
	const pid = await startDaemon(deps, {
		name: `${node}'s namespaces`,
		argv: ['ip', 'netns', 'exec', netns, 'unshare', '--mount', '--propagation', 'private', 'sh', '-c', holder, 'sh', dir, labsRoot],
		logFile: join(layout.logs, `${node}-namespaces.log`),
		readiness: 'line',
	});
	writeFileSync(join(dir, 'holder.pid'), String(pid));
}

/** Put before a command, runs it inside the node's network and mount namespaces. */
export function enterNode(layout: LabLayout, node: string): readonly string[] {
	const pid = readFileSync(join(layout.node(node).dir, 'holder.pid'), 'utf8');
	return ['nsenter', `--target=${pid}`, '--mount', '--net', '--'];
}
