import { expect, it } from 'vitest';
import { chooseKataAttachment } from './kata.ts';

const choose = (annotation: string | undefined, runtimeClassName?: string) =>
	chooseKataAttachment({
		metadata: { name: 'p', ...(annotation === undefined ? {} : { annotations: { 'tapestry.io/kata-attachment': annotation } }) },
		spec: runtimeClassName === undefined ? {} : { runtimeClassName },
	});

it('is a veth unless the pod asks for more', () => {
	expect(choose(undefined, 'kata')).toEqual({ value: 'veth' });
	expect(choose('veth')).toEqual({ value: 'veth' });
	for (const way of ['host-tap', 'vhost-user', 'vfio']) expect(choose(way, 'kata-of-some-kind')).toEqual({ value: way });
});

it.each([
	['host-tap', undefined, 'the pod has no runtimeClassName'],
	['vhost-user', undefined, 'the pod has no runtimeClassName'],
	['vfio', undefined, 'the pod has no runtimeClassName'],
	['bridge', 'kata', 'there is no way "bridge"'],
])('refuses %s with runtime class %s', (annotation, runtimeClass, why) => {
	expect(choose(annotation, runtimeClass).problem).toMatchObject({ reason: 'KataAttachment', why: expect.stringContaining(why) });
});
