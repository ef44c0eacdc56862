import { CodedError, silentLogger } from '@tapestry/base';
import type { KubeClient, KubeObject, WorkQueue } from '@tapestry/kube';
import { annotations, type IpLease, labels, type Problem, routerMac } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { admit } from '../admission/admit.ts';
import type { Networks } from './choose-subnet.ts';
import { type Claimant, claimantKey } from './claimant.ts';
import type { Claimants } from './claimants.ts';
import { LeaseKeeper } from './keeper.ts';
import { leaseObject, parseLease } from './lease-object.ts';
import { LeaseRegistry } from './registry.ts';

const options = { mtu: 1442, defaultVpc: 'ovn-cluster', joinSubnet: 'join', serviceCidrs: [] };
const { subnets } = admit(
	[{ metadata: { name: 'ovn-cluster' }, spec: {} }],
	[{ metadata: { name: 'ovn-default' }, spec: { cidrBlock: '10.16.0.0/16' } }],
	options,
);
const networks: Networks = {
	subnet: (name) => subnets.get(name),
	subnets: () => subnets.values(),
	refusal: () => undefined,
	pool: () => undefined,
	pools: () => [],
	vpc: () => undefined,
	vpcs: () => [],
	namespace: () => ({ labels: {}, annotations: {} }),
	defaultSubnet: 'ovn-default',
	joinSubnet: 'join',
};

const pod = (uid: string, more: Partial<Claimant> = {}): Claimant => ({
	kind: 'Pod',
	namespace: 'd',
	name: 'web',
	uid,
	node: 'n1',
	annotations: {},
	specMac: undefined,
	ports: [],
	ordinal: undefined,
	labels: {},
	isLeaving: false,
	...more,
});

/** A keeper between claimants and an API that only remembers what it is asked. `owners` is what the API knows of pods. */
function open(claimant: Claimant | undefined, owners: readonly KubeObject[] = []) {
	const requests: string[] = [];
	const reports: (Problem | undefined)[] = [];
	let fresh = true;
	let isNamespaceSeen = true;
	const queued: string[] = [];
	let createError: CodedError | undefined;
	const client = {
		get: async (_: unknown, { name }: { name: string }) => {
			const found = owners.find(({ metadata }) => metadata.name === name);
			if (!found) throw new CodedError('KUBE_NOT_FOUND', name);
			return found;
		},
		create: async (_: unknown, object: IpLease) => {
			requests.push(`create ${object.metadata.name} ${object.spec.ipAddress} ${object.spec.macAddress}`);
			if (createError) throw createError;
			return object;
		},
		patch: async (_: unknown, { name }: { name: string }, __: string, body: { spec: { nodeName: string; ipAddress?: string } }) => {
			requests.push(['patch', name, body.spec.nodeName, body.spec.ipAddress].filter((part) => part !== undefined).join(' '));
		},
		remove: async (_: unknown, { name }: { name: string }, { uid }: { uid: string }) => {
			requests.push(`remove ${name} ${uid}`);
		},
	} as unknown as KubeClient;
	const ignore = () => {};
	const registry = new LeaseRegistry({ isInstalled: () => false, onHeld: ignore, onLost: ignore, onFreed: ignore });
	registry.setSubnet('ovn-default', subnets.get('ovn-default'));
	const claimants = { get: (key: string) => (claimant && claimantKey(claimant) === key ? claimant : undefined) } as unknown as Claimants;
	const queue = { add: (key: string) => queued.push(key) } as unknown as WorkQueue;
	const keeper = new LeaseKeeper({
		client,
		claimants,
		registry,
		networks: { ...networks, namespace: (name) => (isNamespaceSeen ? networks.namespace(name) : undefined) },
		queue,
		log: silentLogger,
		isFresh: async () => fresh,
		report: (_, problem) => reports.push(problem),
	});
	const put = (owner: Claimant, name = 'web.d', v4 = '10.16.0.2') => {
		const object = leaseObject(owner, name, 'ovn-default', { v4, v6: undefined, mac: `02:58:0a:10:00:0${v4.at(-1)}` });
		registry.put(parseLease({ ...object, metadata: { ...object.metadata, uid: `lease-of-${owner.uid}` } }));
	};
	const refuseCreate = (error: CodedError) => {
		createError = error;
	};
	const handle = () => keeper.handle(claimantKey(claimant ?? pod('u1')), new AbortController().signal);
	const setFresh = (value: boolean) => {
		fresh = value;
	};
	const setNamespaceSeen = (value: boolean) => {
		isNamespaceSeen = value;
	};
	return { handle, put, registry, keeper, requests, reports, queued, refuseCreate, setFresh, setNamespaceSeen };
}

describe('LeaseKeeper', () => {
	it('takes away the lease that loses its address, though its owner lives and has no node yet', async () => {
		const [holder, rival] = [pod('u1'), pod('u2', { name: 'rival' })];
		const { keeper, put, requests } = open(undefined, [{ metadata: { name: 'rival', namespace: 'd', uid: 'u2' } }]);
		put(holder);
		put(rival, 'rival.d');
		await keeper.handle(claimantKey(rival), new AbortController().signal);
		expect(requests).toEqual(['remove rival.d lease-of-u2']);
	});

	it('leases once, and not again while the object is on its way', async () => {
		const { handle, put, requests, reports } = open(pod('u1'));
		await handle();
		await handle();
		expect(requests).toEqual(['create web.d 10.16.0.2 02:58:0A:10:00:02']);
		put(pod('u1'));
		await handle();
		expect(requests).toHaveLength(1);
		expect(reports).toEqual([undefined]);
	});

	it.each([
		['completely', { v4IpAddress: '10.16.0.40', macAddress: '02:00:00:00:00:40' }, {}, 'patch web.d n1 10.16.0.40'],
		['in part', { v4IpAddress: '10.16.0.40' }, {}, 'patch web.d n1 10.16.0.40'],
		['not at all', {}, {}, 'patch web.d n1 10.16.0.2'],
		['for another wish', { v4IpAddress: '10.16.0.40' }, { [annotations.ipAddress]: '10.16.0.41' }, 'create web.d.'],
		['for another subnet', { v4IpAddress: '10.16.0.40' }, { [annotations.logicalSwitch]: 'other' }, undefined],
	])('takes over an object that a user made for the owner: addresses are kept %s', async (_, spec, asked, expected) => {
		const { handle, registry, requests } = open(pod('u1', { annotations: asked }));
		registry.put(parseLease({ metadata: { name: 'web.d', uid: 'kept' }, spec: { subnet: 'ovn-default', ...spec } }));
		await handle();
		expect(requests[0]?.slice(0, expected?.length)).toBe(expected);
		expect(requests).toHaveLength(expected === undefined ? 0 : 1);
	});

	it('gives a reserved address back to its object when the owner is gone', async () => {
		const { handle, registry, requests } = open(undefined);
		const object = leaseObject(pod('u1'), 'web.d', 'ovn-default', { v4: '10.16.0.40', v6: undefined, mac: '02:00:00:00:00:40' });
		const marks = { ...object.metadata.labels, [labels.ipReserved]: 'true' };
		registry.put(parseLease({ ...object, metadata: { ...object.metadata, uid: 'kept', labels: marks } }));
		await handle();
		expect(requests).toEqual(['patch web.d ']);
	});

	it.each([
		['all subnets', 'setFresh'],
		['the namespace, which may name another', 'setNamespaceSeen'],
	] as const)('gives nobody the default subnet before it has seen %s', async (_, set) => {
		const { handle, keeper, requests, queued, [set]: setSeen } = open(pod('u1'));
		setSeen(false);
		await handle();
		expect(requests).toEqual([]);
		keeper.retry(undefined);
		expect(queued).toEqual(['Pod/d/web']);
		setSeen(true);
		await handle();
		expect(requests).toHaveLength(1);
	});

	it('keeps a lease whose owner the API still has, though it was not seen yet', async () => {
		const { handle, put, requests } = open(undefined, [{ metadata: { name: 'web', namespace: 'd', uid: 'u1' } }]);
		put(pod('u1'));
		await handle();
		expect(requests).toEqual([]);
	});

	it.each([
		['is gone', []],
		['is another one of the same name', [{ metadata: { name: 'web', namespace: 'd', uid: 'u2' } }]],
		['has ended', [{ metadata: { name: 'web', namespace: 'd', uid: 'u1' }, status: { phase: 'Succeeded' } }]],
	])('releases a lease whose owner %s', async (_, owners) => {
		const { handle, put, requests } = open(undefined, owners);
		put(pod('u1'));
		await handle();
		expect(requests).toEqual(['remove web.d lease-of-u1']);
	});

	it('waits for the name of a pod that came back until the old lease is gone', async () => {
		const { handle, put, registry, keeper, requests, queued } = open(pod('u2'));
		put(pod('u1'));
		await handle();
		expect(requests).toEqual(['remove web.d lease-of-u1']);
		registry.remove('web.d');
		keeper.nameChanged('web.d');
		expect(queued).toEqual(['Pod/d/web']);
		await handle();
		// The address that was released comes last.
		expect(requests[1]).toBe('create web.d 10.16.0.3 02:58:0A:10:00:03');
	});

	it('gives back the addresses when another controller was quicker, and waits for what it wrote', async () => {
		const { handle, registry, keeper, queued, refuseCreate } = open(pod('u1'));
		refuseCreate(new CodedError('KUBE_EXISTS', 'web.d'));
		await handle();
		expect(registry.allocator('ovn-default', 4)?.using).toBe(0n);
		keeper.nameChanged('web.d');
		expect(queued).toEqual(['Pod/d/web']);
	});

	it('writes down where the owner runs now', async () => {
		const { handle, put, requests } = open(pod('u1', { node: 'n2' }));
		put(pod('u1'));
		await handle();
		expect(requests).toEqual(['patch web.d n2']);
	});

	it('keeps one lease of an owner that has two', async () => {
		const { handle, put, requests } = open(pod('u1'));
		put(pod('u1'));
		put(pod('u1'), 'web.d.00000000', '10.16.0.3');
		await handle();
		expect(requests).toHaveLength(1);
		expect(requests[0]).toMatch(/^remove web\.d/);
	});

	it('says why there is no lease, and tries again when addresses become free', async () => {
		const asked = { [annotations.ipAddress]: '10.16.0.2' };
		const { handle, put, keeper, reports, requests, queued } = open(pod('u1', { annotations: asked }));
		put({ ...pod('u9'), name: 'other' }, 'other.d');
		await handle();
		expect(requests).toEqual([]);
		expect(reports).toMatchObject([{ reason: 'IpamTaken', why: 'other.d has it' }]);
		keeper.retry('another');
		expect(queued).toEqual([]);
		keeper.retry('ovn-default');
		expect(queued).toEqual(['Pod/d/web']);
	});

	it('gives a lease that somebody deleted the same addresses again', async () => {
		const { handle, put, registry, keeper, queued, requests } = open(pod('u1'));
		put(pod('u1'), 'web.d', '10.16.0.9');
		const lease = registry.held('web.d');
		registry.remove('web.d');
		if (lease) keeper.leaseGone(lease);
		expect(queued).toEqual(['Pod/d/web']);
		await handle();
		expect(requests).toEqual(['create web.d 10.16.0.9 02:58:0A:10:00:09']);
	});

	it('gives others when somebody took them meanwhile', async () => {
		const { handle, put, registry, keeper, requests } = open(pod('u1'));
		put(pod('u1'), 'web.d', '10.16.0.9');
		const lease = registry.held('web.d');
		registry.remove('web.d');
		put({ ...pod('u9'), name: 'other' }, 'other.d', '10.16.0.9');
		if (lease) keeper.leaseGone(lease);
		await handle();
		expect(requests).toEqual(['create web.d 10.16.0.2 02:58:0A:10:00:02']);
	});

	it('says that a running machine cannot have another MAC address, and gives it when the machine stands still', async () => {
		const vm = pod('u1', { kind: 'VirtualMachine', specMac: '02:00:00:00:00:77' });
		const running = open(vm);
		running.put(vm);
		await running.handle();
		expect(running.requests).toEqual([]);
		expect(running.reports).toMatchObject([{ reason: 'LeaseDiffers', what: expect.stringContaining('02:00:00:00:00:77') }]);
		const stopped = open({ ...vm, node: '' });
		stopped.put(vm);
		const lease = stopped.registry.held('web.d');
		await stopped.handle();
		expect(stopped.requests).toEqual(['remove web.d lease-of-u1']);
		stopped.registry.remove('web.d');
		if (lease) stopped.keeper.leaseGone(lease);
		await stopped.handle();
		expect(stopped.requests[1]).toBe('create web.d 10.16.0.2 02:00:00:00:00:77');
	});

	it('keeps the lease of a machine that asks for what cannot be read', async () => {
		const vm = pod('u1', { kind: 'VirtualMachine', specMac: 'junk', node: '' });
		const { handle, put, requests, reports } = open(vm);
		put(vm);
		await handle();
		expect(requests).toEqual([]);
		expect(reports).toMatchObject([{ reason: 'MacMalformed' }]);
	});

	it('refuses two MAC addresses for one machine', async () => {
		const both = (annotated: string) =>
			pod('u1', { kind: 'VirtualMachine', specMac: '02-00-00-00-00-77', annotations: { [annotations.macAddress]: annotated } });
		const contradiction = open(both('02:00:00:00:00:78'));
		await contradiction.handle();
		expect(contradiction.reports).toMatchObject([{ reason: 'MacContradiction', why: expect.stringMatching(/00:77.*00:78/) }]);
		const agreement = open(both('02:00:00:00:00:77'));
		await agreement.handle();
		expect(agreement.requests).toEqual(['create web.d 10.16.0.2 02:00:00:00:00:77']);
	});

	it("refuses the router's MAC address", async () => {
		const { handle, reports } = open(pod('u1', { annotations: { [annotations.macAddress]: routerMac('ovn-cluster', 'ovn-default') } }));
		await handle();
		expect(reports).toMatchObject([{ reason: 'MacTaken', why: expect.stringContaining('the router') }]);
	});

	it('leases nothing to an owner that is leaving', async () => {
		const { handle, requests } = open(pod('u1', { isLeaving: true }));
		await handle();
		expect(requests).toEqual([]);
	});
});

it('labels a lease with its owner, so that agents find it', () => {
	const object = leaseObject(pod('u1'), 'web.d', 'ovn-default', { v4: '10.16.0.2', v6: undefined, mac: '02:58:0a:10:00:02' });
	expect(object.metadata.labels?.[labels.ownerUid]).toBe('u1');
	expect(object.metadata.annotations?.[annotations.owner]).toBe('Pod/d/web');
});
