import type { AttachmentModeName } from './attachment-mode.ts';
import { annotations } from './names.ts';
import type { Parsed } from './problem.ts';

/** Who may say on which device a machine's macvtap lies, in order of precedence. */
export interface ParentWishes {
	/** Annotation `tapestry.io/macvtap-parent` of the instance; an empty one asks for the pod's veth. */
	readonly annotation?: string | undefined;
	/** The same annotation of the subnet, for machines that say nothing. */
	readonly subnet?: { readonly name: string; readonly annotation: string | undefined } | undefined;
}

/** Linux: dev_valid_name. */
const deviceName = /^(?!\.{1,2}$)[^/:\s]{1,15}$/;

/**
 * The NIC of the node on which a machine's macvtap lies, past the switch; undefined for the pod's veth. A subnet's wish is for those of its machines that are
 * connected by macvtap; a machine's own is refused where it means nothing.
 */
export function macvtapParent(mode: AttachmentModeName, { annotation, subnet }: ParentWishes): Parsed<string | undefined> {
	const [name, whose] = annotation === undefined ? [subnet?.annotation, ` of subnet ${subnet?.name}`] : [annotation, ''];
	if (mode !== 'macvtap') {
		if (!annotation) return { value: undefined };
		return refused(
			`annotation ${annotations.macvtapParent} means nothing to a machine that is connected by ${mode}`,
			`remove it, or set ${annotations.attachmentMode}: macvtap`,
		);
	}
	if (!name) return { value: undefined };
	if (deviceName.test(name)) return { value: name };
	return refused(
		`annotation ${annotations.macvtapParent}${whose} is "${name}", which is no name of a device`,
		"use the name of a NIC of the node, such as eth1, or an empty text for the pod's own interface",
	);
}

function refused(why: string, fix: string): Parsed<never> {
	return {
		problem: {
			reason: 'MacvtapParent',
			what: 'the NIC is not usable',
			why,
			fix,
			field: `metadata.annotations[${annotations.macvtapParent}]`,
		},
	};
}
