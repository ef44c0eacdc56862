import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createBridge, createVeth, deleteLink, findLink, getLink, listLinks, moveLink, openRoute, setLink } from './link.ts';
import { operational } from './link-message.ts';
import { testNamespace } from './testing/namespaces.ts';
import { untilLink } from './testing/until-link.ts';

/** What ip(8) says of a link: the oracle. */
function shown(namespace: string, name: string): Record<string, unknown> {
	return JSON.parse(execFileSync('ip', ['-n', namespace, '-d', '-j', 'link', 'show', name], { encoding: 'utf8' }))[0];
}

describe('links', () => {
	it('makes a veth whose peer is at once in its namespace with name, address and MTU', async () => {
		using node = testNamespace('node');
		using pod = testNamespace('pod');
		using inNode = openRoute(node.namespace);
		using inPod = openRoute(pod.namespace);
		createVeth(inNode, {
			name: 'host0',
			mtu: 1442,
			peer: { name: 'eth0', mac: '02:00:00:00:00:07', mtu: 1442, namespace: pod.namespace },
		});
		expect(shown(pod.name, 'eth0')).toMatchObject({ address: '02:00:00:00:00:07', mtu: 1442, linkinfo: { info_kind: 'veth' } });
		const host = getLink(inNode, 'host0');
		expect(host).toMatchObject({ kind: 'veth', mtu: 1442, up: false, carrier: false, arp: true });
		expect(host.peer).toBe(getLink(inPod, 'eth0').index);

		setLink(inNode, 'host0', { up: true, arp: false });
		setLink(inPod, 'eth0', { up: true });
		expect(getLink(inNode, host.index)).toMatchObject({ up: true, carrier: true, arp: false });
		await untilLink(node.path, 'host0', (link) => link?.operState === operational);
		expect(shown(node.name, 'host0').flags).toContain('NOARP');
	});

	it('moves and renames in one step, by name or index, and leaves the device down', async () => {
		using a = testNamespace('a');
		using b = testNamespace('b');
		using inA = openRoute(a.namespace);
		using inB = openRoute(b.namespace);
		createVeth(inA, { name: 'eth0', mac: '02:00:00:00:00:09', mtu: 1400, peer: { name: 'other' } });
		createBridge(inB, { name: 'eth0' });
		setLink(inA, 'eth0', { up: true });
		setLink(inA, 'eth0', { name: 'moved', namespace: b.namespace });
		expect(findLink(inA, 'eth0')).toBeUndefined();
		expect(getLink(inB, 'moved')).toMatchObject({ mac: '02:00:00:00:00:09', mtu: 1400, up: false });
		await moveLink(b.namespace, 'moved', { namespace: a.namespace, name: 'back' });
		expect(findLink(inB, 'moved')).toBeUndefined();
		expect(getLink(inA, 'back').mac).toBe('02:00:00:00:00:09');
		await expect(moveLink(b.namespace, 'moved', { namespace: a.namespace, name: 'again' })).rejects.toMatchObject({ code: 'LINUX_ENODEV' });
	});

	it('lists as many links as ip does', () => {
		using there = testNamespace('list');
		using socket = openRoute(there.namespace);
		for (let i = 0; i < 40; i++) createBridge(socket, { name: `br${i}` });
		const names = listLinks(socket).map(({ name }) => name);
		const listed = JSON.parse(execFileSync('ip', ['-n', there.name, '-j', 'link'], { encoding: 'utf8' })) as { ifname: string }[];
		expect(names).toEqual(listed.map(({ ifname }) => ifname));
	});

	it('deletes many at once and says when there was none', async () => {
		using there = testNamespace('del');
		using socket = openRoute(there.namespace);
		for (let i = 0; i < 8; i++) createVeth(socket, { name: `v${i}`, peer: { name: `w${i}` } });
		expect(await Promise.all(Array.from({ length: 8 }, (_, i) => deleteLink(`v${i}`, there.namespace)))).toEqual(Array(8).fill(true));
		expect(listLinks(socket).map(({ name }) => name)).toEqual(['lo']);
		expect(await deleteLink('v0', there.namespace)).toBe(false);
	});

	it('names the operation and the device in its errors', () => {
		using there = testNamespace('err');
		using socket = openRoute(there.namespace);
		createBridge(socket, { name: 'br0' });
		expect(() => createBridge(socket, { name: 'br0' })).toThrow(
			expect.objectContaining({ code: 'LINUX_EEXIST', message: expect.stringContaining('create bridge of "br0"') }),
		);
		expect(() => getLink(socket, 'none')).toThrow(expect.objectContaining({ code: 'LINUX_ENODEV' }));
		// After a failure the socket still answers the next question with its own answer.
		expect(getLink(socket, 'br0').name).toBe('br0');
	});
});
