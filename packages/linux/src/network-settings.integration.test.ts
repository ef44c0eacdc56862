import { execFileSync } from 'node:child_process';
import { formatCidr, formatIp, parseCidr, parseIp } from '@tapestry/base';
import { describe, expect, it } from 'vitest';
import { addAddress, listAddresses, removeAddress } from './address.ts';
import { disableTransmitChecksumOffload } from './checksum-offload.ts';
import { dropIngress, removeIngressDrop } from './ingress-drop.ts';
import { createVeth, getLink, openRoute, setLink } from './link.ts';
import { operational } from './link-message.ts';
import { listRoutes, removeRoute, replaceRoute } from './route.ts';
import { setNetworkSettings } from './sysctl.ts';
import { createTap } from './tap.ts';
import { testNamespace } from './testing/namespaces.ts';
import { untilLink } from './testing/until-link.ts';

const ip = (text: string) => parseIp(text)!;
const run = (namespace: string, ...command: string[]) => execFileSync('ip', ['netns', 'exec', namespace, ...command], { encoding: 'utf8' });

describe('addresses and routes', () => {
	it('are there at once in both families and read back as they were set', () => {
		using pod = testNamespace('addr');
		using socket = openRoute(pod.namespace);
		createVeth(socket, { name: 'eth0', peer: { name: 'peer' } });
		for (const name of ['eth0', 'peer']) setLink(socket, name, { up: true });
		const { index } = getLink(socket, 'eth0');
		addAddress(socket, index, { ip: ip('10.16.0.7'), prefix: 16 });
		addAddress(socket, index, { ip: ip('fd00:10:16::7'), prefix: 112 });
		addAddress(socket, index, { ip: ip('10.16.0.7'), prefix: 16 });
		// Not tentative: duplicate address detection would keep it unusable for a second.
		expect(run(pod.name, 'ip', '-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'global')).not.toContain('tentative');
		expect(listAddresses(socket).map((entry) => `${formatIp(entry.ip)}/${entry.prefix} ${entry.link}`)).toEqual(
			expect.arrayContaining([`10.16.0.7/16 ${index}`, `fd00:10:16::7/112 ${index}`]),
		);

		replaceRoute(socket, { family: 4, gateway: ip('10.16.0.2'), link: index });
		replaceRoute(socket, { family: 4, gateway: ip('10.16.0.1'), link: index });
		replaceRoute(socket, { family: 6, gateway: ip('fd00:10:16::1'), link: index });
		replaceRoute(socket, {
			family: 4,
			destination: parseCidr('10.96.0.0/16')!,
			gateway: ip('10.16.0.1'),
			link: index,
			source: ip('10.16.0.7'),
		});
		expect(run(pod.name, 'ip', 'route', 'show', 'default')).toBe('default via 10.16.0.1 dev eth0 proto static \n');
		expect(run(pod.name, 'ip', '-6', 'route', 'show', 'default')).toContain('default via fd00:10:16::1 dev eth0 proto static');
		expect(run(pod.name, 'ip', 'route', 'show', '10.96.0.0/16')).toContain('via 10.16.0.1 dev eth0 proto static src 10.16.0.7');
		const routes = listRoutes(socket).map(
			(route) =>
				`${route.destination ? formatCidr(route.destination) : `default${route.family}`} ${route.gateway ? formatIp(route.gateway) : '-'}`,
		);
		expect(routes).toEqual(
			expect.arrayContaining(['default4 10.16.0.1', 'default6 fd00:10:16::1', '10.16.0.0/16 -', '10.96.0.0/16 10.16.0.1']),
		);

		for (let twice = 0; twice < 2; twice++) {
			removeRoute(socket, { family: 4, gateway: ip('10.16.0.1'), link: index });
			removeAddress(socket, index, { ip: ip('fd00:10:16::7'), prefix: 112 });
		}
		expect(run(pod.name, 'ip', 'route', 'show', 'default')).toBe('');
		expect(run(pod.name, 'ip', '-6', 'addr', 'show', 'scope', 'global')).toBe('');
	});

	it('name the address or route that the kernel refused', () => {
		using pod = testNamespace('refuse');
		using socket = openRoute(pod.namespace);
		expect(() => addAddress(socket, 999, { ip: ip('10.16.0.7'), prefix: 16 })).toThrow(
			/add address of "10\.16\.0\.7\/16 on link 999" failed/,
		);
		expect(() => replaceRoute(socket, { family: 4, gateway: ip('10.16.0.1'), link: 1 })).toThrow(/default \(IPv4\) via 10\.16\.0\.1/);
	});
});

describe('taps', () => {
	it.each([false, true])('persist without carrier with owner, vnet headers and multi queue %s', (multiQueue) => {
		using pod = testNamespace('tap');
		using socket = openRoute(pod.namespace);
		createTap(pod.namespace, { name: 'tap0', uid: 107, gid: 107, multiQueue });
		setLink(socket, 'tap0', { up: true });
		const [shown] = JSON.parse(run(pod.name, 'ip', '-d', '-j', 'link', 'show', 'tap0'));
		expect(shown.linkinfo.info_data).toMatchObject({
			type: 'tap',
			pi: false,
			vnet_hdr: true,
			multi_queue: multiQueue,
			persist: true,
			user: 107,
		});
		expect(getLink(socket, 'tap0')).toMatchObject({
			kind: 'tun',
			up: true,
			carrier: false,
			queues: multiQueue ? { used: 0, off: 0 } : undefined,
		});
		expect(() => createTap(pod.namespace, { name: 'tap0', uid: 107, gid: 107, multiQueue })).toThrow(/create tap of "tap0"/);
	});
});

describe('device settings', () => {
	it('reach the device in its own namespace', () => {
		using pod = testNamespace('set');
		using socket = openRoute(pod.namespace);
		createVeth(socket, { name: 'eth0', peer: { name: 'peer' } });
		disableTransmitChecksumOffload(pod.namespace, 'eth0');
		expect(run(pod.name, 'ethtool', '-k', 'eth0')).toMatch(/^tx-checksumming: off/m);
		expect(run(pod.name, 'ethtool', '-k', 'peer')).toMatch(/^tx-checksumming: on/m);
		setNetworkSettings(pod.namespace, { 'ipv6/conf/eth0/accept_ra': 0, 'ipv4/conf/all/arp_ignore': 1 });
		expect(run(pod.name, 'cat', '/proc/sys/net/ipv6/conf/eth0/accept_ra', '/proc/sys/net/ipv4/conf/all/arp_ignore')).toBe('0\n1\n');
		expect(() => disableTransmitChecksumOffload(pod.namespace, 'eth9')).toThrow(expect.objectContaining({ code: 'LINUX_ENODEV' }));
	});

	it('keep packets that a dropping device receives from the stack, but not from AF_PACKET', async () => {
		using a = testNamespace('drop-a');
		using b = testNamespace('drop-b');
		using inA = openRoute(a.namespace);
		using inB = openRoute(b.namespace);
		createVeth(inA, { name: 'eth0', peer: { name: 'eth0', namespace: b.namespace } });
		for (const [socket, address] of [
			[inA, '10.0.0.1'],
			[inB, '10.0.0.2'],
		] as const) {
			setLink(socket, 'eth0', { up: true });
			addAddress(socket, getLink(socket, 'eth0').index, { ip: ip(address), prefix: 24 });
		}
		for (const { path } of [a, b]) await untilLink(path, 'eth0', (link) => link?.operState === operational);
		const ping = () => run(a.name, 'ping', '-c1', '-W1', '10.0.0.2');
		ping();
		for (let twice = 0; twice < 2; twice++) dropIngress(b.namespace, 'eth0');
		expect(ping).toThrow();
		expect(run(b.name, 'nft', 'list', 'ruleset')).toMatch(/hook ingress device "eth0" .*policy drop/);
		for (let twice = 0; twice < 2; twice++) removeIngressDrop(b.namespace, 'eth0');
		ping();
		expect(run(b.name, 'nft', 'list', 'ruleset')).not.toContain('chain');
	});
});
