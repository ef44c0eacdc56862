import type { MachineInterface } from './kubevirt.ts';
import { annotations } from './names.ts';
import type { Parsed, Problem } from './problem.ts';

/** The ways to connect a machine's NIC to its port. `lift` is the default. */
export const attachmentModes = ['lift'] as const;
export type AttachmentModeName = (typeof attachmentModes)[number];

/** Who may say how a NIC is connected, in order of precedence. */
export interface ModeWishes {
	/** The NIC as the instance has it; undefined for the one that a machine without any is given. */
	readonly nic?: MachineInterface | undefined;
	/** Annotation `tapestry.io/attachment-mode` of the instance. */
	readonly annotation?: string | undefined;
	/** The same annotation of the subnet, which holds for NICs that leave it open. */
	readonly subnet?: { readonly name: string; readonly annotation: string | undefined } | undefined;
}

/** KubeVirt's fields of an interface, of which one at most is set. */
const bindingFields = ['bridge', 'masquerade', 'sriov', 'macvtap', 'passt', 'slirp', 'binding'] as const;

/** The binding plugin that leaves the mode to annotation and subnet. */
export const ownBinding = 'tapestry';

/** KubeVirt's bindings for which the lift stands in: they are not built. */
const lifted: readonly string[] = ['bridge', 'masquerade', 'managedtap'];

/**
 * How a NIC is connected. A binding that names a mode decides; `binding: {name: tapestry}` or none leaves it to the annotation, then to the subnet.
 * An annotation that contradicts the binding is refused: nobody could say which of the two was meant.
 */
export function chooseAttachmentMode({ nic, annotation, subnet }: ModeWishes): Parsed<AttachmentModeName> {
	const subject = nic === undefined ? 'the NIC' : `interface "${nic.name}"`;
	const given = bindingFields.filter((field) => nic?.[field] !== undefined);
	if (given.length > 1) return refused(subject, `it has several bindings: ${given.join(', ')}`, 'keep one of them');
	const [field] = given;
	const wanted = field === 'binding' ? nic?.binding?.name : field;
	const bound = wanted === undefined || wanted === ownBinding ? undefined : modeOf(wanted);
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
	if (subnet?.annotation === undefined) return { value: 'lift' };
	const byDefault = modeOf(subnet.annotation);
	if (byDefault !== undefined) return { value: byDefault };
	const why = `annotation ${annotations.attachmentMode} of subnet ${subnet.name} asks for "${subnet.annotation}", which is no attachment mode`;
	return refused(subject, why, known());
}

/** What the agent writes on the interface in the launcher's namespace (IFLA_IFALIAS): the launcher, or whoever looks, learns the mode from it. */
export const modeMark = (mode: AttachmentModeName): string => `${annotations.attachmentMode}=${mode}`;

/** The mode that an interface's alias tells of; undefined for any other alias. */
export function markedMode(alias: string | undefined): AttachmentModeName | undefined {
	const prefix = `${annotations.attachmentMode}=`;
	return alias?.startsWith(prefix) ? modeOf(alias.slice(prefix.length)) : undefined;
}

function modeOf(text: string): AttachmentModeName | undefined {
	const name = text.toLowerCase();
	return lifted.includes(name) ? 'lift' : attachmentModes.find((mode) => mode === name);
}

function refused(subject: string, why: string, fix: string): { readonly problem: Problem } {
	return { problem: { reason: 'AttachmentMode', what: `${subject} is not usable`, why, fix, field: 'spec.domain.devices.interfaces' } };
}

const known = (): string => `use one of ${attachmentModes.join(', ')}`;

const offered = (): string => `bridge: {}, masquerade: {} or binding: {name: ${ownBinding}}`;
