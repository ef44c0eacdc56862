import { describe, expect, it } from 'vitest';
import { masqueradeRules } from './masquerade-rules.ts';

interface Command {
	readonly add: { readonly rule?: { readonly chain: string; readonly expr: readonly Record<string, unknown>[] } };
}
const names = { ifname: 'eth0', bridge: 'k6t-eth0' };
const rulesOf = (commands: readonly object[], chain: string) =>
	(commands as readonly Command[]).flatMap(({ add }) => (add.rule?.chain === chain ? [add.rule.expr] : []));

describe('masqueradeRules', () => {
	it('lets everything in when no port is named', () => {
		const rules = masqueradeRules({ ...names, family: 4, forward: [] });
		expect(rulesOf(rules, 'KUBEVIRT_PREINBOUND')).toEqual([[{ dnat: { addr: '10.0.2.2' } }]]);
		expect(rulesOf(rules, 'prerouting')).toEqual([
			[expect.objectContaining({ match: expect.objectContaining({ right: 'eth0' }) }), { jump: { target: 'KUBEVIRT_PREINBOUND' } }],
		]);
	});

	it('lets only the named ports in, from outside and from the loopback', () => {
		const forward = [
			{ protocol: 'tcp', port: 80 },
			{ protocol: 'udp', port: 53 },
		] as const;
		const rules = masqueradeRules({ ...names, family: 6, forward });
		expect(rulesOf(rules, 'KUBEVIRT_PREINBOUND')).toEqual([
			[{ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 80 } }, { dnat: { addr: 'fd10:0:2::2' } }],
			[{ match: { op: '==', left: { payload: { protocol: 'udp', field: 'dport' } }, right: 53 } }, { dnat: { addr: 'fd10:0:2::2' } }],
		]);
		expect(rulesOf(rules, 'output')).toHaveLength(2);
		expect(rulesOf(rules, 'KUBEVIRT_POSTINBOUND').map((expr) => expr.at(-1))).toEqual([
			{ snat: { addr: 'fd10:0:2::1' } },
			{ snat: { addr: 'fd10:0:2::1' } },
		]);
	});

	it('hides the guest whatever is let in', () => {
		for (const forward of [[], [{ protocol: 'tcp', port: 80 }] as const]) {
			const [first] = rulesOf(masqueradeRules({ ...names, family: 4, forward }), 'postrouting');
			expect(first).toEqual([expect.objectContaining({ match: expect.objectContaining({ right: '10.0.2.2' }) }), { masquerade: null }]);
		}
	});
});
