import { annotations, type IpLease } from '@tapestry/network';
import { expect, it } from 'vitest';
import { leaseRules } from './lease-rules.ts';

const rules = { port: 'vm.ns', security: [], acls: [], groups: [], sets: {} };
const lease = (text: string | undefined): IpLease => ({
	metadata: { name: 'vm.ns', annotations: text === undefined ? {} : { [annotations.deviceRules]: text } },
	spec: {},
});

it('has the rules that stand on the lease, and the same ones as long as they do', () => {
	const objects = new Map<string, IpLease>();
	const source = leaseRules({ objects, onChange: () => () => {} });
	expect(source.rulesOf('vm.ns')).toBeUndefined();
	objects.set('vm.ns', lease(JSON.stringify(rules)));
	const first = source.rulesOf('vm.ns');
	expect(first).toEqual(rules);
	objects.set('vm.ns', lease(JSON.stringify(rules)));
	expect(source.rulesOf('vm.ns')).toBe(first);
	objects.set('vm.ns', lease(JSON.stringify({ ...rules, groups: ['g'] })));
	expect(source.rulesOf('vm.ns')).toEqual({ ...rules, groups: ['g'] });
});

it('takes nothing that is malformed or of another port', () => {
	for (const text of [undefined, 'x', '{}', JSON.stringify({ ...rules, port: 'other.ns' })]) {
		expect(leaseRules({ objects: new Map([['vm.ns', lease(text)]]), onChange: () => () => {} }).rulesOf('vm.ns')).toBeUndefined();
	}
});
