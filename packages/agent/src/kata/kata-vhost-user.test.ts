import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Attachment, AttachmentState } from '../attach/attachment.ts';
import { kataFaults } from '../testing/kata-schema.ts';
import { portOf } from '../testing/logical-network.ts';
import type { DirectAttachment } from './direct-attachment.ts';
import { kataVhostUserMode } from './kata-vhost-user.ts';

let directory: string;
let calls: string[];
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'kata-vhost-user-'));
	calls = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const attachment: Attachment = {
	...{ containerId: 'c1', ifname: 'eth0', network: 'tapestry', netns: '/run/netns/c1', mode: 'kata-vhost-user', device: 'kvhu0123456789' },
	...{ pod: { namespace: 'default', name: 'p', uid: '' }, port: portOf('p.default', 5), queues: 1, complete: false },
};
const connectedState: AttachmentState = { path: ['kvhu0123456789', 'br-int'], connected: true, faults: [] };

/** The mode over a switch that only writes down what it is asked. */
function mode(options: { readonly missing?: readonly string[]; readonly refuses?: boolean } = {}) {
	const files = new Map<string, DirectAttachment>();
	const socket = (device: string): string => join(directory, device, 'socket');
	const made = kataVhostUserMode({
		vhostUser: {
			socket,
			servesSandbox: false,
			probe: async () => options.missing ?? [],
			async prepare({ device }) {
				calls.push('prepare');
				mkdirSync(join(directory, device), { recursive: true });
				return [];
			},
			async connect() {
				calls.push(`connect, with${files.size === 0 ? 'out' : ''} a file`);
				if (options.refuses) throw new Error('Open vSwitch cannot make the port');
			},
			resume: async () => {},
			disconnect: async ({ device }) => void calls.push(`disconnect ${device}, with${files.size === 0 ? 'out' : ''} a file`),
			describe: () => connectedState,
		},
		kata: {
			write: (id, content) => void files.set(id, content),
			has: (id) => files.has(id),
			remove: (id) => void files.delete(id),
		},
	});
	return { made, files, socket };
}
const { signal } = new AbortController();

it('tells Kata of a socket that is not there yet, once the switch waits for it', async () => {
	const { made, files, socket } = mode();
	const path = socket(attachment.device);
	mkdirSync(join(directory, attachment.device));
	writeFileSync(path, 'of a machine that has died');
	await made.prepare(attachment);
	expect(existsSync(path)).toBe(false);
	await made.connect(attachment, signal);
	expect(calls).toEqual(['prepare', 'connect, without a file']);
	const file = files.get('c1');
	expect(kataFaults(JSON.parse(JSON.stringify(file)), 'runtime-rs')).toEqual([]);
	expect(file?.devices[0]).toMatchObject({ name: 'eth0', guest_mac: attachment.port.mac, device: { type: 'vhost-user', path } });
	expect(made.describe(attachment)).toEqual(connectedState);
});

it('writes nothing for a port that the switch refuses', async () => {
	const { made, files } = mode({ refuses: true });
	await expect(made.connect(attachment, signal)).rejects.toThrow('cannot make the port');
	expect(files.size).toBe(0);
});

it('takes the file away before the port, in any state', async () => {
	const { made, files } = mode();
	await made.connect(attachment, signal);
	for (let twice = 0; twice < 2; twice++) await made.disconnect(attachment, signal);
	expect(files.size).toBe(0);
	expect(calls.slice(1)).toEqual(Array(2).fill('disconnect kvhu0123456789, without a file'));
	expect(made.describe(attachment).faults).toEqual(["Kata's file of the sandbox's NIC is gone"]);
});

it('lacks what the switch lacks', async () => {
	expect(await mode({ missing: ['Open vSwitch runs without DPDK'] }).made.probe()).toEqual(['Open vSwitch runs without DPDK']);
});
