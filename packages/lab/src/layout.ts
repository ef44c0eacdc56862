import { join } from 'node:path';
import { CodedError } from '@tapestry/base';

/** Where a lab keeps its files, and how it names what it makes. Everything follows from the lab's id. */
export interface LabLayout {
	readonly id: string;
	/** All files of the lab; also the value of TAPESTRY_LAB in the environment of all its processes. */
	readonly dir: string;
	/** Prefix of the lab's network namespaces in the root's /run/netns. */
	readonly prefix: string;
	readonly logs: string;
	/** Pid files of Tapestry's own programs. */
	readonly run: string;
	readonly central: string;
	readonly api: string;
	/** Written by the API server: admin access over 127.0.0.1. */
	readonly kubeconfig: string;
	readonly spec: string;
	node(name: string): NodeLayout;
}

export interface NodeLayout {
	readonly name: string;
	readonly dir: string;
	readonly netns: string;
	readonly ovsDir: string;
	/** The node's Open_vSwitch database. */
	readonly ovsdb: string;
	/** The node's own way to the Kubernetes API, and to the Southbound database. */
	readonly apiSocket: string;
	readonly sbSocket: string;
	readonly kubeletState: string;
}

export const labsRoot = '/var/lib/tapestry';

/**
 * @param id 1 to 8 lower-case letters and digits: it is part of interface names, which hold 15 characters.
 * @throws LAB_ID
 */
export function labLayout(id: string): LabLayout {
	if (!/^[a-z][a-z0-9]{0,7}$/.test(id)) {
		throw new CodedError('LAB_ID', {
			what: `"${id}" cannot name a lab`,
			why: 'the id becomes part of namespace and interface names',
			fix: 'use 1 to 8 lower-case letters and digits, a letter first',
		});
	}
	const dir = join(labsRoot, id);
	const prefix = `tp-${id}`;
	return {
		id,
		dir,
		prefix,
		logs: join(dir, 'logs'),
		run: join(dir, 'run'),
		central: join(dir, 'central'),
		api: join(dir, 'api'),
		kubeconfig: join(dir, 'kubeconfig'),
		spec: join(dir, 'lab.json'),
		node: (name) => {
			const own = join(dir, name);
			const ovsDir = join(own, 'ovs');
			return {
				name,
				dir: own,
				netns: `${prefix}-${name}`,
				ovsDir,
				ovsdb: join(ovsDir, 'db.sock'),
				apiSocket: join(own, 'api.sock'),
				sbSocket: join(own, 'sb.sock'),
				kubeletState: join(own, 'kubelet'),
			};
		},
	};
}

/** What the environment of every process of a lab holds; it is inherited, so it also marks what daemons and guests start. */
export const labMarker = 'TAPESTRY_LAB';

/** The lab's addresses. Each lab's underlay is a bridge in a namespace of its own, so labs do not collide. */
export const underlay = {
	cidrs: ['172.30.0.0/24', 'fd00:172:30::/64'],
	mtu: 1500,
	/** Node i (from 1). */
	nodeAddresses: (index: number): readonly [string, string] => [`172.30.0.${index}`, `fd00:172:30::${index.toString(16)}`],
	/** The world outside the nodes; the API is reachable there from nodes and pods. */
	outsideAddresses: ['172.30.0.254', 'fd00:172:30::fe'] as const,
	apiPort: 6443,
} as const;

/** Of each family one; the first is what a Service gets that asks for nothing. */
export const serviceCidr = '10.96.0.0/16,fd00:10:96::/112';
/** Pods' MTU: the underlay's less Geneve over IPv4 (58 bytes). */
export const podMtu = underlay.mtu - 58;
