import { annotations } from './names.ts';
import type { ObjectMeta } from './object.ts';
import type { Parsed } from './problem.ts';

/**
 * How a Kata sandbox gets its NIC: `veth` is a pod's, which Kata joins to its machine by tc (`internetworking_model = tcfilter`); `host-tap` is a tap of
 * the node that Kata's runtime-rs opens by itself.
 */
export const kataAttachments = ['veth', 'host-tap'] as const;
export type KataAttachment = (typeof kataAttachments)[number];

/** Kata's other devices of direct attachment, and what stands against them. */
const unbuilt: Readonly<Record<string, string>> = {
	'vhost-user': 'it is built for machines of KubeVirt only',
	vfio: 'it needs a virtual function with a representor, and SR-IOV is not built',
};

interface PodLike {
	readonly metadata: ObjectMeta;
	readonly spec?: { readonly runtimeClassName?: string };
}

/** What a pod's annotation asks for. Without one it is `veth`, whatever the runtime: that suits all. */
export function chooseKataAttachment({ metadata, spec }: PodLike): Parsed<KataAttachment> {
	const wanted = metadata.annotations?.[annotations.kataAttachment];
	if (wanted === undefined) return { value: 'veth' };
	const what = `annotation ${annotations.kataAttachment} cannot be followed`;
	const wrong = (why: string, fix: string): Parsed<KataAttachment> => ({ problem: { reason: 'KataAttachment', what, why, fix } });
	const fix = `use one of ${kataAttachments.join(', ')}, or remove it`;
	const found = kataAttachments.find((name) => name === wanted);
	if (found === undefined) return wrong(unbuilt[wanted] ?? `there is no way "${wanted}"`, fix);
	if (found === 'host-tap' && !spec?.runtimeClassName) {
		return wrong(
			'the pod has no runtimeClassName, and only Kata opens the tap',
			"name a RuntimeClass of Kata's runtime-rs, or remove the annotation",
		);
	}
	return { value: found };
}
