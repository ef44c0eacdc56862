import type { MachineInterface } from './kubevirt.ts';
import { annotations } from './names.ts';
import type { Parsed, Problem } from './problem.ts';

/** The ways to connect a machine's NIC to its port. `lift` is the default. */
export const attachmentModes = [
	'lift',
	'tap',
	'bridge',
	'managedtap',
	'masquerade',
	'tcredirect',
	'macvtap',
	'passt',
	'slirp',
	'vhost-user',
] as const;
export type AttachmentModeName = (typeof attachmentModes)[number];

/** Who may say how a NIC is connected, in order of precedence. */
export interface ModeWishes {
	/** The NIC as the instance has it; undefined for the one that a machine without any is given. */
	readonly nic?: MachineInterface | undefined;
	/** Annotation `tapestry.io/attachment-mode` of the instance. */
	readonly annotation?: string | undefined;
	/** The same annotation of the subnet, which holds for NICs that leave it open. */
	readonly subnet?: { readonly name: string; readonly annotation: string | undefined } | undefined;
	/** Whether the launcher is in the node's own network, as was decided when it was made; undefined before. */
	readonly isOnNode?: boolean | undefined;
}

/** KubeVirt's fields of an interface, of which one at most is set. */
const bindingFields = ['bridge', 'masquerade', 'sriov', 'macvtap', 'passt', 'slirp', 'binding'] as const;

/** The binding plugin that leaves the mode to annotation and subnet. */
export const ownBinding = 'tapestry';

/** The mode that a binding's name settles: its own name, also behind ours, as a plugin is registered with KubeVirt (`tapestry-tap`). */
export function modeOfBinding(name: string): AttachmentModeName | undefined {
	return modeOf(name.startsWith(`${ownBinding}-`) ? name.slice(ownBinding.length + 1) : name);
}

/**
 * How a NIC is connected. A binding that names a mode decides; `binding: {name: tapestry}` or none leaves it to the annotation, then to the subnet.
 * An annotation that contradicts the binding is refused: nobody could say which of the two was meant. A launcher stays where it was made, whatever its
 * subnet says by now.
 */
export function chooseAttachmentMode({ nic, annotation, subnet, isOnNode }: ModeWishes): Parsed<AttachmentModeName> {
	const subject = nic === undefined ? 'the NIC' : `interface "${nic.name}"`;
	const given = bindingFields.filter((field) => nic?.[field] !== undefined);
	if (given.length > 1) return refused(subject, `it has several bindings: ${given.join(', ')}`, 'keep one of them');
	const [field] = given;
	const wanted = field === 'binding' ? nic?.binding?.name : field;
	const bound = wanted === undefined || wanted === ownBinding ? undefined : modeOfBinding(wanted);
	if (wanted !== undefined && wanted !== ownBinding && bound === undefined) {
		const why = field === 'binding' ? `there is no binding plugin "${wanted}"` : `binding ${wanted} is not built`;
		return refused(subject, why, `use ${offered()}`);
	}
	const asked = annotation === undefined ? undefined : modeOf(annotation);
	if (annotation !== undefined && asked === undefined) {
		return refused(subject, `annotation ${annotations.attachmentMode} asks for "${annotation}", which is no attachment mode`, known());
	}
	if (bound !== undefined && asked !== undefined && bound !== asked) {
		const why = `its binding ${wanted} and annotation ${annotations.attachmentMode} (${annotation}) are two modes`;
		return refused(subject, why, 'remove one of them');
	}
	const chosen = bound ?? asked;
	if (chosen !== undefined) return { value: chosen };
	if (isOnNode) return { value: 'tap' };
	if (subnet?.annotation === undefined) return { value: 'lift' };
	const byDefault = modeOf(subnet.annotation);
	if (byDefault === 'tap' && isOnNode === false) return { value: 'lift' };
	if (byDefault !== undefined) return { value: byDefault };
	const why = `annotation ${annotations.attachmentMode} of subnet ${subnet.name} asks for "${subnet.annotation}", which is no attachment mode`;
	return refused(subject, why, known());
}

/** What the agent tells whoever looks at the interface in the launcher's namespace, the launcher above all. */
export interface ModeMark {
	readonly mode: AttachmentModeName;
	/** UID of the machine and its MAC address, on a tap that is among those of others. */
	readonly machine?: string;
	readonly mac?: string;
	/** Where a VMM with vhost-user listens for the switch. */
	readonly socket?: string;
	/** The interface on which the launcher gives the guest its addresses of both families. */
	readonly server?: string;
	/** The port's gateways, where the guest learns them from the launcher. */
	readonly gateways?: readonly string[];
}

/** The mark as the interface's alias (IFLA_IFALIAS, at most 255 bytes). */
export function modeMark({ mode, machine, mac, socket, server, gateways = [] }: ModeMark): string {
	const words = Object.entries({ machine, mac, socket, server }).flatMap(([key, value]) =>
		value === undefined ? [] : [`${key}=${value}`],
	);
	return [`${annotations.attachmentMode}=${mode}`, ...words, ...gateways.map((gateway) => `gateway=${gateway}`)].join(' ');
}

/** What an interface's alias says; undefined for any other alias. */
export function readModeMark(alias: string | undefined): ModeMark | undefined {
	const words = (alias ?? '').split(' ');
	const all = (key: string) => words.flatMap((word) => (word.startsWith(`${key}=`) ? [word.slice(key.length + 1)] : []));
	const mode = attachmentModes.find((name) => words[0] === `${annotations.attachmentMode}=${name}`);
	if (mode === undefined) return undefined;
	const [[machine], [mac], [socket], [server], gateways] = [all('machine'), all('mac'), all('socket'), all('server'), all('gateway')];
	return {
		mode,
		...(machine === undefined ? {} : { machine }),
		...(mac === undefined ? {} : { mac }),
		...(socket === undefined ? {} : { socket }),
		...(server === undefined ? {} : { server }),
		...(gateways.length > 0 ? { gateways } : {}),
	};
}

/** A port of a machine that is let in where the mode lets only some in. */
export interface ForwardedPort {
	readonly protocol: 'tcp' | 'udp';
	readonly port: number;
}

/** The interface's `ports`; none means all, or, with slirp, none. */
export function forwardedPorts(nic: MachineInterface | undefined): readonly ForwardedPort[] {
	return (nic?.ports ?? []).flatMap(({ port, protocol = 'TCP' }) =>
		port === undefined ? [] : [{ port, protocol: protocol === 'UDP' ? ('udp' as const) : ('tcp' as const) }],
	);
}

/** KubeVirt's address of the DHCP server on the bridge of a launcher. */
export const bridgeServerAddress = '169.254.75.10';

/** Where a macvtap is past the switch: the hardware address of who gives the guest its addresses, in no network but the guest's. */
export const deviceServerMac = '02:74:61:70:00:01';

/** KubeVirt's hardware address of the bridge of masquerade: a guest that moves finds its gateway under the same one. */
export const masqueradeMac = '02:00:00:00:00:00';

/** KubeVirt's addresses on both sides of the NAT of masquerade, the same in every launcher. */
export const podSideAddresses = {
	4: { guest: '10.0.2.2', gateway: '10.0.2.1', prefix: 24, loopback: '127.0.0.1' },
	6: { guest: 'fd10:0:2::2', gateway: 'fd10:0:2::1', prefix: 120, loopback: '::1' },
} as const;

function modeOf(text: string): AttachmentModeName | undefined {
	const name = text.toLowerCase();
	return attachmentModes.find((mode) => mode === name);
}

function refused(subject: string, why: string, fix: string): { readonly problem: Problem } {
	return { problem: { reason: 'AttachmentMode', what: `${subject} is not usable`, why, fix, field: 'spec.domain.devices.interfaces' } };
}

const known = (): string => `use one of ${attachmentModes.join(', ')}`;

const offered = (): string => `bridge: {}, masquerade: {} or binding: {name: ${ownBinding}}`;
