import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kataFaults } from '../testing/kata-schema.ts';
import { portOf } from '../testing/logical-network.ts';
import { attachmentFiles } from './attachment-files.ts';
import { directAttachment, type KataDevice } from './direct-attachment.ts';

const port = portOf('p.default', 5);
const tap: KataDevice = { type: 'host-tap', tap: 'kata0123456789', queues: 1 };

describe('directAttachment', () => {
	it('tells runtime-rs of a tap, with addresses and ways of both families', () => {
		expect(directAttachment('eth0', port, tap)).toEqual({
			netns: null,
			devices: [
				{
					name: 'eth0',
					guest_mac: port.mac,
					device: { type: 'host-tap', tap_name: 'kata0123456789', queue_num: 1, queue_size: 0 },
					network_info: {
						interface: { ip_addresses: ['10.16.0.5/16', 'fd00:10:16::5/112'], mtu: 1442, ntype: 'tuntap', flags: 0 },
						routes: [
							{ dest: '', gateway: '10.16.0.1', source: '', scope: 0, flags: 0, mtu: 0 },
							{ dest: '', gateway: 'fd00:10:16::1', source: '', scope: 0, flags: 0, mtu: 0 },
						],
						neighbors: [],
					},
				},
			],
		});
	});

	it.each<[KataDevice, 'runtime-rs' | 'go', 'runtime-rs' | 'go']>([
		[tap, 'runtime-rs', 'go'],
		[{ type: 'vhost-user', socket: '/run/x.sock' }, 'runtime-rs', 'go'],
		[{ type: 'vfio', pciAddress: '0000:18:02.5' }, 'go', 'runtime-rs'],
	])('writes %j for the one runtime that takes it', (device, taker, refuser) => {
		const document = JSON.parse(JSON.stringify(directAttachment('eth0', port, device)));
		expect(kataFaults(document, taker)).toEqual([]);
		expect(kataFaults(document, refuser)).toEqual([`unknown DAN device type "${device.type}"`]);
	});

	it('knows no way out without a gateway', () => {
		const lonely = { ...port, addresses: port.addresses.map(({ address }) => ({ address })) };
		expect(directAttachment('eth0', lonely, tap).devices[0]?.network_info.routes).toEqual([]);
	});
});

describe('attachmentFiles', () => {
	it('are read by root alone, whole, and gone when they are removed, twice', () => {
		const directory = mkdtempSync(join(tmpdir(), 'dans-'));
		try {
			const files = attachmentFiles(join(directory, 'made'));
			files.write('c1', directAttachment('eth0', port, tap));
			files.write('c1', directAttachment('eth0', port, tap));
			expect(readdirSync(join(directory, 'made'))).toEqual(['c1.json']);
			expect(statSync(join(directory, 'made', 'c1.json')).mode & 0o777).toBe(0o600);
			expect(kataFaults(JSON.parse(readFileSync(join(directory, 'made', 'c1.json'), 'utf8')), 'runtime-rs')).toEqual([]);
			expect(files.has('c1')).toBe(true);
			expect(() => attachmentFiles(join(directory, 'made', 'c1.json', 'x')).write('c1', directAttachment('eth0', port, tap))).toThrow(
				expect.objectContaining({ code: 'AGENT_KATA' }),
			);
			for (let twice = 0; twice < 2; twice++) files.remove('c1');
			expect(files.has('c1')).toBe(false);
		} finally {
			rmSync(directory, { recursive: true });
		}
	});
});
