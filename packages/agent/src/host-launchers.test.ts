import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { createReflector, type KubeObject, type Pod, pods, type Reflector } from '@tapestry/kube';
import { labels } from '@tapestry/network';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
// The package's own fake of an API; only tests may reach for it.
import { createMemoryApi, type MemoryApi } from '../../kube/src/testing/memory-client.ts';
import type { Attachment, AttachmentModes } from './attach/attachment.ts';
import { Journal } from './attach/journal.ts';
import { followHostLaunchers } from './host-launchers.ts';
import type { Port, Workload } from './port.ts';
import { FakeWorkloads } from './testing/fake-workloads.ts';

const port: Port = { name: 'vm.default', ownerUid: 'vm', mac: '00:00:00:00:00:01', addresses: [], mtu: 1442, subnet: 'net' };
const machine: Workload = { kind: 'machine', port, queues: 1, mode: 'tap', hostTap: 'vmt1' };
const io = { clock: systemClock, random: Math.random, log: silentLogger };

let api: MemoryApi;
let reflector: Reflector<Pod>;
let journal: Journal;
let workloads: FakeWorkloads;
let abort: AbortController;
let following: Promise<void>;
let directory: string;
const prepare = vi.fn(async (_attachment: Attachment) => []);
const disconnect = vi.fn(async () => {});

beforeEach(() => {
	vi.clearAllMocks();
	directory = mkdtempSync(join(tmpdir(), 'host-launchers-'));
	api = createMemoryApi();
	reflector = createReflector<Pod>({ ...io, client: api.client() }, { resource: pods });
	journal = new Journal(io, { dir: directory });
	workloads = new FakeWorkloads();
	abort = new AbortController();
});
afterEach(async () => {
	abort.abort(new Error('the test ends'));
	await following.catch(() => {});
	await reflector.close();
	rmSync(directory, { recursive: true });
});

function follow(): void {
	const tap = { name: 'tap', servesSandbox: false, probe: async () => [], prepare, connect: async () => {}, disconnect };
	const modes = { tap } as unknown as AttachmentModes;
	following = followHostLaunchers({ ...io, pods: reflector, source: workloads, journal, modes }, abort.signal);
}
const launcher = (uid: string, hostNetwork = true): KubeObject => ({
	metadata: { name: `launcher-${uid}`, namespace: 'default', uid, labels: { [labels.kubevirt]: 'virt-launcher' } },
	spec: { hostNetwork, containers: [] },
});
const entry = (uid: string) => journal.get({ containerId: uid, ifname: 'eth0' });
/** Nobody tells of changes of the journal. The machine may be loaded. */
const patience = { timeout: 20_000 };
const complete = (uid: string) => vi.waitFor(() => expect(entry(uid)?.complete).toBe(true), patience);
const gone = (uid: string) => vi.waitFor(() => expect(entry(uid)).toBeUndefined(), patience);

it('attaches a launcher in the network of the node when it comes, and detaches it when it goes', async () => {
	workloads.set({ namespace: 'default', name: 'launcher-a' }, machine);
	follow();
	await api.client().create(pods, launcher('other', false));
	await api.client().create(pods, launcher('a'));
	await complete('a');
	expect(prepare).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ containerId: 'a', netns: '', mode: 'tap', device: 'vmt1' }));
	await api.client().remove(pods, { namespace: 'default', name: 'launcher-a' });
	await gone('a');
	expect(disconnect).toHaveBeenCalledTimes(1);
});

it('detaches one whose launcher has ended, or went while no agent ran', async () => {
	const before = { containerId: 'lost', ifname: 'eth0', network: '', netns: '', pod: { namespace: 'default', name: 'x', uid: 'lost' } };
	journal.put({ ...before, mode: 'tap', device: 'vmt0', port, queues: 1, complete: true });
	workloads.set({ namespace: 'default', name: 'launcher-a' }, machine);
	await api.client().create(pods, launcher('a'));
	follow();
	await Promise.all([gone('lost'), complete('a')]);
	await api.client().replace(pods, { ...launcher('a'), status: { phase: 'Succeeded' } });
	await gone('a');
});

it('leaves a launcher of another mode alone: its plumbing would be made of the interfaces of the node', async () => {
	workloads.set({ namespace: 'default', name: 'launcher-a' }, { kind: 'machine', port, queues: 1, mode: 'masquerade' });
	await api.client().create(pods, launcher('a'));
	follow();
	// What happens to the next one comes later.
	workloads.set({ namespace: 'default', name: 'launcher-b' }, machine);
	await api.client().create(pods, launcher('b'));
	await complete('b');
	expect(prepare).toHaveBeenCalledTimes(1);
	expect(journal.all().map(({ containerId }) => containerId)).toEqual(['b']);
});
