import { sentence } from '@tapestry/base';
import { describe, expect, it } from 'vitest';
import { attachmentModes, chooseAttachmentMode, modeMark, readModeMark } from './attachment-mode.ts';

const nic = (more: object) => ({ name: 'default', ...more });
const subnet = (annotation?: string) => ({ name: 'blue', annotation });

describe('chooseAttachmentMode', () => {
	it.each([
		['nothing', {}, 'lift'],
		['a NIC without binding', { nic: nic({}) }, 'lift'],
		["KubeVirt's field", { nic: nic({ masquerade: {} }), subnet: subnet('lift') }, 'masquerade'],
		['a binding plugin of the name of a mode', { nic: nic({ binding: { name: 'managedTap' } }) }, 'managedtap'],
		['a plugin of ours that is registered for a mode', { nic: nic({ binding: { name: 'tapestry-tap' } }) }, 'tap'],
		['an annotation beside our binding', { nic: nic({ binding: { name: 'tapestry' } }), annotation: 'tcredirect' }, 'tcredirect'],
		['a subnet for all that leave it open', { subnet: subnet('bridge') }, 'bridge'],
		['our binding', { nic: nic({ binding: { name: 'tapestry' } }), subnet: subnet() }, 'lift'],
		['an annotation, in any case', { annotation: 'Lift' }, 'lift'],
		['a subnet that says so', { nic: nic({ binding: { name: 'tapestry' } }), subnet: subnet('lift') }, 'lift'],
		['an annotation before the subnet', { annotation: 'lift', subnet: subnet('nonsense') }, 'lift'],
		['a subnet that wants its launchers on the node', { subnet: subnet('tap') }, 'tap'],
		['where the launcher is, before the subnet', { nic: nic({}), subnet: subnet('bridge'), isOnNode: true }, 'tap'],
		['where the launcher is not', { nic: nic({}), subnet: subnet('tap'), isOnNode: false }, 'lift'],
		['a subnet, for a launcher of its own', { subnet: subnet('bridge'), isOnNode: false }, 'bridge'],
		['an annotation, wherever the launcher is', { annotation: 'tap', subnet: subnet('lift'), isOnNode: false }, 'tap'],
		['a binding and an annotation that agree', { nic: nic({ binding: { name: 'lift' } }), annotation: 'lift' }, 'lift'],
	])('chooses by %s', (_, wishes, mode) => expect(chooseAttachmentMode(wishes)).toEqual({ value: mode }));

	it.each([
		['two bindings', { nic: nic({ bridge: {}, binding: { name: 'x' } }) }, 'it has several bindings: bridge, binding'],
		['a binding that is not built', { nic: nic({ sriov: {} }) }, 'binding sriov is not built'],
		['a plugin that nobody has heard of', { nic: nic({ binding: { name: 'x' } }) }, 'no binding plugin "x"'],
		['a plugin of ours for no mode', { nic: nic({ binding: { name: 'tapestry-x' } }) }, 'no binding plugin "tapestry-x"'],
		['a binding and another annotation', { nic: nic({ bridge: {} }), annotation: 'masquerade' }, 'its binding bridge and annotation'],
		['an annotation with no mode', { annotation: 'fast' }, 'asks for "fast", which is no attachment mode'],
		['a subnet with no mode', { subnet: subnet('fast') }, 'of subnet blue asks for "fast"'],
	])('refuses %s', (_, wishes, words) => {
		const { problem } = chooseAttachmentMode(wishes);
		expect(problem && sentence(problem)).toContain(words);
		expect(problem?.fix).toBeTruthy();
	});
});

describe('the mark of a mode', () => {
	it.each(attachmentModes)('tells of %s', (mode) => {
		expect(readModeMark(modeMark({ mode }))).toEqual({ mode });
		const mark = {
			mode,
			machine: 'u-1',
			mac: '00:00:00:00:00:01',
			socket: '/run/x/socket',
			server: 'k6t-eth0',
			gateways: ['10.16.0.1', 'fd00::1'],
		};
		expect(readModeMark(modeMark(mark))).toEqual(mark);
	});

	it('is not seen in what others write', () => {
		for (const alias of [undefined, '', 'uplink', 'tapestry.io/attachment-mode=', 'tapestry.io/attachment-mode=x'])
			expect(readModeMark(alias)).toBeUndefined();
	});
});
