import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBridge, createVeth, deleteLink, openRoute, setLink } from './link.ts';
import { type LinkEvent, LinkMonitor } from './link-monitor.ts';
import { createTap } from './tap.ts';
import { findTapHolders } from './tap-holders.ts';
import { testNamespace } from './testing/namespaces.ts';
import { holdTap } from './testing/wire.ts';

/** Resolves with the first event that matches. */
function recorder() {
	const events: LinkEvent[] = [];
	const waiting = new Set<() => void>();
	return {
		events,
		listener(event: LinkEvent) {
			events.push(event);
			for (const check of waiting) check();
		},
		until: (matches: (event: LinkEvent) => boolean) =>
			new Promise<LinkEvent>((resolve) => {
				const check = () => {
					const found = events.find(matches);
					if (found) resolve(found);
				};
				waiting.add(check);
				check();
			}),
	};
}
const changed = (name: string, test: (link: Extract<LinkEvent, { type: 'changed' }>['link']) => boolean) => (event: LinkEvent) =>
	event.type === 'changed' && event.link.name === name && test(event.link);

describe('LinkMonitor', () => {
	it('tells of changes in each watched namespace and in no other', async () => {
		using monitor = new LinkMonitor();
		using a = testNamespace('mon-a');
		using b = testNamespace('mon-b');
		const inA = recorder();
		const inB = recorder();
		monitor.watch(a.namespace, inA.listener);
		const stop = monitor.watch(b.namespace, inB.listener);
		using socketA = openRoute(a.namespace);
		using socketB = openRoute(b.namespace);
		createVeth(socketA, { name: 'v0', peer: { name: 'w0' } });
		setLink(socketA, 'v0', { up: true });
		setLink(socketA, 'w0', { up: true });
		await inA.until(changed('v0', (link) => link.carrier));
		expect(inB.events).toEqual([]);

		createBridge(socketB, { name: 'br0' });
		await inB.until(changed('br0', () => true));
		stop();
		const before = inB.events.length;
		setLink(socketB, 'br0', { up: true });
		await deleteLink('v0', a.namespace);
		await inA.until((event) => event.type === 'removed' && event.link.name === 'v0');
		expect(inB.events).toHaveLength(before);
	});

	it('shows a tap gaining carrier, then each queue, then losing it with its holder', async () => {
		using monitor = new LinkMonitor();
		using pod = testNamespace('mon-tap');
		using socket = openRoute(pod.namespace);
		createTap(pod.namespace, { name: 'tap0', uid: 107, gid: 107, multiQueue: true });
		setLink(socket, 'tap0', { up: true });
		const seen = recorder();
		monitor.watch(pod.namespace, seen.listener);
		const holder = await holdTap(pod.path, { name: 'tap0', queues: 3 });
		await seen.until(changed('tap0', ({ carrier, queues }) => carrier && queues?.used === 3));
		// Each queue has an event of its own, so nobody has to ask again for those that are missing.
		expect(seen.events.some(changed('tap0', ({ queues }) => queues?.used === 1))).toBe(true);
		expect(seen.events.some(changed('tap0', ({ queues }) => queues?.used === 2))).toBe(true);
		expect([...findTapHolders(pod.namespace.inode, 'tap0')]).toEqual([
			{ pid: holder.process.pid, executable: basename(process.execPath), queues: 3 },
		]);
		expect([...findTapHolders(pod.namespace.inode, 'tap1')]).toEqual([]);
		const released = seen.events.length;
		await holder.kill();
		await seen.until((event) => seen.events.indexOf(event) >= released && changed('tap0', ({ carrier }) => !carrier)(event));
	});

	it('says when the kernel dropped events', async () => {
		using monitor = new LinkMonitor();
		using pod = testNamespace('mon-many');
		const seen = recorder();
		monitor.watch(pod.namespace, seen.listener);
		using socket = openRoute(pod.namespace);
		createBridge(socket, { name: 'br0' });
		// All in one turn of the event loop, more than the socket's buffer holds.
		for (let i = 0; i < 2000; i++) setLink(socket, 'br0', { mtu: 1000 + (i % 2) });
		await seen.until(({ type }) => type === 'missed');
	});
});
