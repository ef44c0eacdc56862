import { sentence } from '@tapestry/base';
import { expect, it } from 'vitest';
import { macvtapParent } from './macvtap-parent.ts';

const subnet = (annotation?: string) => ({ name: 'blue', annotation });

it.each([
	['nothing', 'macvtap', {}, undefined],
	['the machine', 'macvtap', { annotation: 'eth1', subnet: subnet('eth2') }, 'eth1'],
	['its subnet', 'macvtap', { subnet: subnet('bond0.7') }, 'bond0.7'],
	["a machine that wants the pod's veth", 'macvtap', { annotation: '', subnet: subnet('eth2') }, undefined],
	['a subnet, of a machine that is connected otherwise', 'lift', { subnet: subnet('eth2') }, undefined],
] as const)('is as said by %s', (_, mode, wishes, parent) => {
	expect(macvtapParent(mode, wishes)).toEqual({ value: parent });
});

it.each([
	['lift', { annotation: 'eth1' }, /means nothing to a machine that is connected by lift.*fix: remove it/],
	['macvtap', { annotation: 'eth1/../x' }, /is "eth1\/..\/x", which is no name of a device/],
	['macvtap', { annotation: 'a-name-of-sixteen' }, /no name of a device/],
	['macvtap', { annotation: '..' }, /no name of a device/],
	['macvtap', { subnet: subnet('two words') }, /of subnet blue is "two words"/],
] as const)('is refused: %s, %o', (mode, wishes, words) => {
	const { problem } = macvtapParent(mode, wishes);
	expect(problem && sentence(problem)).toMatch(words);
});
