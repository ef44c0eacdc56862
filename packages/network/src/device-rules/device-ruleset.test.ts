import { expect, it } from 'vitest';
import { deviceRuleset, deviceRulesetChange } from './device-ruleset.ts';
import { linkLocal, securityRules } from './security-rules.ts';

const place = {
	device: 'tap0',
	server: { device: 'k6t-eth0', outer: 'eth0-nic', mac: '02:00:00:00:00:01', v4: '169.254.75.10', v6: 'fe80::ff:fe00:1' },
};
const rules = { port: 'a', security: ['02:AA:00:00:00:01 10.9.0.2 fd09::2'], groups: [], sets: {}, acls: [] };
const chainRules = (commands: readonly object[], chain: string) =>
	commands.flatMap((command) => {
		const { rule } = ((command as { add?: object }).add ?? {}) as { rule?: { chain: string; expr: readonly object[] } };
		return rule?.chain === chain ? [rule.expr] : [];
	});

it('lets only the address server speak to the guest while no rules are known', () => {
	const commands = deviceRuleset(undefined, place);
	expect(chainRules(commands, 'received_rules')).toEqual([[{ drop: null }]]);
	expect(chainRules(commands, 'sent_rules')).toEqual([[{ drop: null }]]);
	expect(commands.slice(0, 2)).toEqual([{ add: { table: expect.anything() } }, { delete: { table: expect.anything() } }]);
});

it('changes the rules without forgetting connections', () => {
	const verbs = deviceRulesetChange(rules, place).map((command) =>
		Object.entries(command)[0]?.map((part) => (typeof part === 'string' ? part : Object.keys(part)[0])),
	);
	expect(new Set(verbs.map((words) => words?.join(' ')))).toEqual(new Set(['flush chain', 'add rule']));
	expect(chainRules(deviceRulesetChange(rules, place), 'received_rules')).toEqual([[{ goto: { target: 'remember_heard' } }]]);
});

it('holds a port to its own addresses, and one that is open to none', () => {
	expect(securityRules([])).toEqual([]);
	const text = JSON.stringify(securityRules(rules.security));
	for (const own of ['02:aa:00:00:00:01', '10.9.0.2', 'fd09::2', linkLocal('02:aa:00:00:00:01')]) expect(text).toContain(own);
	expect(JSON.stringify(securityRules(['02:AA:00:00:00:01']))).not.toContain('ip6');
});

it('makes the address that a device makes of its MAC', () => {
	expect(linkLocal('02:aa:00:00:00:01')).toBe('fe80::aa:ff:fe00:1');
});
