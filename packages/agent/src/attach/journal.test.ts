import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@tapestry/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Attachment, deviceName } from './attachment.ts';
import { Journal } from './journal.ts';

let dir: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), 'journal-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const attachment = (containerId: string): Attachment => ({
	containerId,
	ifname: 'eth0',
	network: 'net',
	netns: '/run/netns/x',
	pod: { namespace: 'default', name: 'a', uid: 'u1' },
	mode: 'veth',
	device: deviceName('veth', { containerId, ifname: 'eth0' }),
	port: { name: 'a.default', ownerUid: 'u1', mac: '02:00:00:00:00:07', addresses: [{ address: '10.16.0.7/16' }], mtu: 1442, subnet: 'net' },
	queues: 1,
	complete: false,
});

describe('the journal', () => {
	it('is read back by the next agent as it was written, and without what was removed', () => {
		const journal = new Journal({ log: silentLogger }, { dir });
		journal.put(attachment('c1'));
		journal.put(attachment('c2'));
		journal.put({ ...attachment('c1'), complete: true });
		journal.remove(attachment('c2'));
		journal.remove(attachment('never'));
		const next = new Journal({ log: silentLogger }, { dir });
		expect(next.all()).toEqual([{ ...attachment('c1'), complete: true }]);
		expect(next.get({ containerId: 'c1', ifname: 'eth0' })).toEqual({ ...attachment('c1'), complete: true });
	});

	it('survives files that are no entries, and leaves them', () => {
		writeFileSync(join(dir, 'torn.json'), '{"contai');
		writeFileSync(join(dir, 'c1@eth0.json.new'), '{}');
		const journal = new Journal({ log: silentLogger }, { dir });
		expect(journal.all()).toEqual([]);
		expect(readdirSync(dir)).toHaveLength(2);
	});

	it('keeps its entries inside its directory, whatever an interface is called', () => {
		const journal = new Journal({ log: silentLogger }, { dir });
		journal.put({ ...attachment('c1'), ifname: '..%2Fx' });
		expect(readdirSync(dir)).toEqual(['c1@..%252Fx.json']);
	});
});

describe('device names', () => {
	it('fit into the kernel and differ for each sandbox, interface and mode', () => {
		const ids = Array.from({ length: 1000 }, (_, i) => ({ containerId: `${'0'.repeat(60)}${i}`, ifname: 'eth0' }));
		const names = ids.flatMap((id) => [deviceName('veth', id), deviceName('lift', id), deviceName('veth', { ...id, ifname: 'net1' })]);
		expect(new Set(names).size).toBe(names.length);
		expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(15);
	});
});
