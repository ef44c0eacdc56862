import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { type Condition, findCondition, type KubeObject } from '@tapestry/kube';
import { annotations, machineOfLauncher, virtualMachineResource } from '@tapestry/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCluster } from '../../../controller/src/testing/cluster.ts';
import { runVirtController } from './virt-controller.ts';

/** The real controller and the real virt-controller, and a machine that is well and has to stay so. */
const abort = new AbortController();
let cluster: TestCluster;
let ended: Promise<void>;
let before: object;

beforeAll(async () => {
	cluster = await TestCluster.start();
	await cluster.addNode('n1', '172.30.0.1');
	await cluster.startController('a');
	const ready = Promise.withResolvers<void>();
	const deps = { client: cluster.client, clock: systemClock, random: Math.random, log: silentLogger };
	ended = runVirtController(deps, abort.signal, ready.resolve);
	await ready.promise;
	await create('good', machine({ nic: { macAddress: goodMac }, asked: { [annotations.ipAddress]: goodIp } }));
	await cluster.hasPort('good.default');
	await cluster.until(
		'the good machine has an instance and a launcher',
		() => cluster.sources.vmis.objects.has('default/good') && launchers('good') === 1,
	);
	before = facts();
});
afterAll(async () => {
	abort.abort();
	await ended;
	await cluster[Symbol.asyncDispose]();
});

const goodMac = '02:00:00:00:bb:01';
const goodIp = '10.16.9.9';
/** What of the good machine nothing may change. */
const facts = () => {
	const { uid, generation } = cluster.sources.vmis.objects.get('default/good')?.metadata ?? {};
	const { spec, metadata } = cluster.sources.ips.objects.get('good.default') ?? {};
	return { uid, generation, spec, lease: metadata?.uid, port: cluster.port('good.default'), launchers: launchers('good') };
};
const launchers = (name: string) =>
	[...cluster.sources.pods.objects.values()].filter((pod) => machineOfLauncher(pod) === `default/${name}`).length;
const conditionsOf = (name: string) =>
	(cluster.sources.vms.objects.get(`default/${name}`)?.status?.conditions ?? []) as readonly Condition[];
const create = (name: string, spec: object) =>
	cluster.client.create<KubeObject>(virtualMachineResource, { metadata: { name, namespace: 'default' }, spec });

interface Wishes {
	readonly nic?: object;
	readonly more?: readonly object[];
	readonly domain?: object;
	readonly asked?: Readonly<Record<string, string>>;
}

function machine({ nic = {}, more = [], domain = {}, asked = {} }: Wishes): object {
	const interfaces = [{ name: 'default', ...nic }, ...more];
	const networks = [{ name: 'default', pod: {} }];
	const spec = { domain: { memory: { guest: '192Mi' }, devices: { interfaces }, ...domain }, networks };
	return { runStrategy: 'Always', template: { metadata: { annotations: asked }, spec } };
}

// Whether a machine can be made at all says virt-controller, whether it can have its port the controller.
const [failure, network] = ['Failure', 'tapestry.io/NetworkReady'] as const;
const wrong: readonly (readonly [string, Wishes, string, RegExp])[] = [
	['a malformed MAC address', { nic: { macAddress: '02:00:00' } }, failure, /"02:00:00" is not a MAC address/],
	['a malformed MAC address, of the port', { nic: { macAddress: '02:00:00' } }, network, /02:00:00/],
	['a multicast MAC address', { nic: { macAddress: '01:00:5e:00:00:01' } }, failure, /01:00:5e:00:00:01 is a multicast address/],
	['a multicast MAC address of the annotation', { asked: { [annotations.macAddress]: '01:00:5e:00:00:01' } }, network, /01:00:5e:00:00:01/],
	['a MAC address that is taken', { nic: { macAddress: goodMac } }, network, /taken.*good\.default/],
	['an address that is taken', { asked: { [annotations.ipAddress]: goodIp } }, network, /10\.16\.9\.9 is taken.*good\.default/],
	['an address outside of its subnet', { asked: { [annotations.ipAddress]: '10.99.0.1' } }, network, /not in 10\.16\.0\.0\/16/],
	['no memory', { domain: { memory: { guest: 0 } } }, failure, /memory of the machine is of no use: it is zero/],
	['a binding that nobody knows', { nic: { binding: { name: 'nope' } } }, failure, /no binding plugin "nope"/],
	['two NICs of one name', { more: [{ name: 'default' }] }, failure, /two interfaces are called "default"/],
	['a NIC without a network', { more: [{ name: 'other' }] }, failure, /interface "other".*no network of this name/],
	[
		'a disk without a volume',
		{ domain: { devices: { interfaces: [{ name: 'default' }], disks: [{ name: 'root' }] } } },
		failure,
		/"root".*no volume/,
	],
];

describe('a machine', () => {
	it.each(wrong.map((row, index) => [...row, index] as const))(
		'with %s is told what, why and how to mend it; others stay as they are',
		async (_, wishes, type, words, index) => {
			const name = `wrong-${index}`;
			await create(name, machine(wishes));
			await cluster.until(`${name} is told`, () => findCondition(conditionsOf(name), type) !== undefined);
			const { status, message } = findCondition(conditionsOf(name), type) ?? {};
			expect(status).toBe(type === failure ? 'True' : 'False');
			expect(message).toMatch(words);
			expect(message).toMatch(/\(fix: .+\)/);
			await cluster.until(`an event about ${name}`, () =>
				[...cluster.events.objects.values()].some((event) => event.involvedObject.name === name && event.message === message),
			);
			expect(facts()).toEqual(before);
			await cluster.client.remove(virtualMachineResource, { name, namespace: 'default' });
		},
	);

	it('with a name of 70 characters has a launcher and a port', async () => {
		const name = 'v'.repeat(70);
		await create(name, machine({}));
		await cluster.until('its port and launcher', () => cluster.port(`${name}.default`) !== undefined && launchers(name) === 1);
		expect(conditionsOf(name).filter(({ type }) => type === failure || type === network)).toEqual([]);
		expect(facts()).toEqual(before);
	});
});
