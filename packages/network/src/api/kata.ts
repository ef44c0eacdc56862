import { annotations } from './names.ts';
import type { ObjectMeta } from './object.ts';
import type { Parsed } from './problem.ts';

/**
 * How a Kata sandbox gets its NIC: `veth` is a pod's, which Kata joins to its machine by tc (`internetworking_model = tcfilter`); `host-tap` is a tap of
 * the node that Kata's runtime-rs opens by itself; `vhost-user` is memory that its Dragonball shares with the switch; `vfio` is a virtual function that
 * the Go runtime gives to its machine.
 */
const kataAttachments = ['veth', 'host-tap', 'vhost-user', 'vfio'] as const;
export type KataAttachment = (typeof kataAttachments)[number];

/** Who attaches directly. */
const runtimes: Readonly<Record<Exclude<KataAttachment, 'veth'>, string>> = {
	'host-tap': "Kata's runtime-rs",
	'vhost-user': "Kata's runtime-rs with Dragonball",
	vfio: "Kata's Go runtime",
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
	if (found === undefined) return wrong(`there is no way "${wanted}"`, fix);
	if (found !== 'veth' && !spec?.runtimeClassName) {
		return wrong(
			'the pod has no runtimeClassName, and only Kata opens the device',
			`name a RuntimeClass of ${runtimes[found]}, or remove the annotation`,
		);
	}
	return { value: found };
}
