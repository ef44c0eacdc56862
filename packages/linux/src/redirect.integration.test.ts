import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createBridge, createMacvtap, createVeth, findLink, getLink, openRoute, setLearning, setLink } from './link.ts';
import { findRedirection, redirectIngress } from './redirect.ts';
import { testNamespace } from './testing/namespaces.ts';

/** What ip(8) and tc(8) say: the oracles. */
const json = (program: string, ...args: readonly string[]) => JSON.parse(execFileSync(program, args, { encoding: 'utf8' }));

describe('redirectIngress', () => {
	it('sends all that arrives at one device out by another', () => {
		using there = testNamespace('redir');
		using route = openRoute(there.namespace);
		createVeth(route, { name: 'a', peer: { name: 'b' } });
		expect(findRedirection(route, 'a')).toBeUndefined();
		redirectIngress(route, 'a', 'b');
		const [, , filter] = json('tc', '-n', there.name, '-j', 'filter', 'show', 'dev', 'a', 'ingress');
		const [action] = filter.options.actions;
		expect(filter).toMatchObject({ protocol: 'all', pref: 1, kind: 'u32' });
		expect(action).toMatchObject({ kind: 'mirred', mirred_action: 'redirect', direction: 'egress', to_dev: 'b' });
		expect(findRedirection(route, 'a')).toBe(getLink(route, 'b').index);
		expect(() => redirectIngress(route, 'a', 'b')).toThrow(expect.objectContaining({ code: 'LINUX_EEXIST' }));
		expect(findRedirection(route, 'nowhere')).toBeUndefined();
	});

	it('has another device receive it', () => {
		using there = testNamespace('redir');
		using route = openRoute(there.namespace);
		createVeth(route, { name: 'a', peer: { name: 'b' } });
		redirectIngress(route, 'a', 'b', 'received');
		const [, , filter] = json('tc', '-n', there.name, '-j', 'filter', 'show', 'dev', 'a', 'ingress');
		expect(filter.options.actions[0]).toMatchObject({ mirred_action: 'redirect', direction: 'ingress', to_dev: 'b' });
	});
});

describe('bridges and macvtaps', () => {
	it('has a bridge that neither snoops nor learns at a port, and devices that carry a note', () => {
		using there = testNamespace('bridge');
		using route = openRoute(there.namespace);
		createBridge(route, { name: 'br', multicastSnooping: false });
		createVeth(route, { name: 'a', peer: { name: 'b' } });
		setLink(route, 'a', { master: getLink(route, 'br').index, alias: 'a note' });
		setLearning(route, 'a', false);
		const [bridge] = json('ip', '-n', there.name, '-d', '-j', 'link', 'show', 'br');
		expect(bridge.linkinfo.info_data.mcast_snooping).toBe(0);
		const [port] = json('ip', '-n', there.name, '-d', '-j', 'link', 'show', 'a');
		expect(port).toMatchObject({ master: 'br', ifalias: 'a note', linkinfo: { info_slave_data: { learning: false } } });
		expect(getLink(route, 'a').alias).toBe('a note');
	});

	it('makes a macvtap in another namespace than the device that it is on', () => {
		using there = testNamespace('macvtap');
		using elsewhere = testNamespace('macvtap2');
		using route = openRoute(there.namespace);
		createVeth(route, { name: 'a', peer: { name: 'b' } });
		createMacvtap(route, { name: 'tap0', mac: '02:00:00:00:00:07', on: 'a', namespace: elsewhere.namespace });
		const [link] = json('ip', '-n', elsewhere.name, '-d', '-j', 'link', 'show', 'tap0');
		expect(link).toMatchObject({ address: '02:00:00:00:00:07', linkinfo: { info_kind: 'macvtap' } });
		using inside = openRoute(elsewhere.namespace);
		setLink(inside, 'tap0', { allMulticast: true });
		expect(json('ip', '-n', elsewhere.name, '-j', 'link', 'show', 'tap0')[0].flags).toContain('ALLMULTI');
		expect(findLink(route, 'tap0')).toBeUndefined();
	});

	it('makes a macvtap with an address of its own', () => {
		using there = testNamespace('macvtap');
		using route = openRoute(there.namespace);
		createVeth(route, { name: 'a', peer: { name: 'b' } });
		createMacvtap(route, { name: 'tap0', mac: '02:00:00:00:00:07', on: 'a' });
		const [link] = json('ip', '-n', there.name, '-d', '-j', 'link', 'show', 'tap0');
		expect(link).toMatchObject({
			address: '02:00:00:00:00:07',
			link: 'a',
			linkinfo: { info_kind: 'macvtap', info_data: { mode: 'bridge' } },
		});
	});
});
