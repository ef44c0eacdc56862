import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@tapestry/base';
import {
	callbackPath,
	type GrpcMethod,
	grpcError,
	type HookInfo,
	infoPath,
	readCloudInit,
	readDefineDomain,
	serveGrpc,
	systemClock,
	writeCloudInit,
	writeDefineDomain,
	writeInfo,
} from '@tapestry/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { domainXml } from '../libvirt/domain-xml.ts';
import { machineConfig } from '../testing/machine-config.ts';
import { collectHooks } from './hooks.ts';
import { bindingSidecarsOf } from './requested.ts';
import { startHookSidecars } from './sidecars.ts';

let directory: string;
let servers: AsyncDisposable[];
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'hooks-'));
	servers = [];
});
afterEach(async () => {
	for (const server of servers) await server[Symbol.asyncDispose]();
	rmSync(directory, { recursive: true, force: true });
});

/** A sidecar that writes its name into all it is given. */
async function sidecar(name: string, info: Partial<HookInfo>, calls: string[], more: Record<string, GrpcMethod> = {}): Promise<string> {
	const version = (info.versions ?? ['v1alpha3'])[0] as 'v1alpha3';
	const hookPoints = ['OnDefineDomain', 'PreCloudInitIso', 'Shutdown'].map((point) => ({ name: point, priority: 0 }));
	const seen = (what: string): number => calls.push(`${name} ${what}`);
	const socket = join(directory, `${name}.sock`);
	const methods: Record<string, GrpcMethod> = {
		[infoPath]: () => writeInfo({ name, versions: [version], hookPoints, ...info }),
		[callbackPath(version, 'OnDefineDomain')]: (request) => {
			seen('OnDefineDomain');
			return writeDefineDomain({ domain: Buffer.from(`${Buffer.from(readDefineDomain(request).domain)}<${name}>`) });
		},
		[callbackPath(version, 'PreCloudInitIso')]: (request) => {
			seen('PreCloudInitIso');
			return writeCloudInit({ data: Buffer.from(`${Buffer.from(readCloudInit(request).data)}<${name}>`) });
		},
		[callbackPath(version, 'Shutdown')]: () => {
			seen('Shutdown');
			return new Uint8Array();
		},
		...more,
	};
	servers.push(await serveGrpc({ log: silentLogger, clock: systemClock }, { socket, methods }));
	return socket;
}

describe('collectHooks', () => {
	it('calls one after the other, the first alone for cloud-init, by the newest version of each', async () => {
		const calls: string[] = [];
		const sockets = [
			await sidecar('b', { versions: ['v1alpha1', 'v0'] }, calls),
			await sidecar('a', { versions: ['v1alpha3', 'v1alpha2'] }, calls),
			await sidecar('c', { hookPoints: [{ name: 'Shutdown', priority: 9 }] }, calls),
		];
		const hooks = await collectHooks(systemClock, sockets);
		expect(await hooks.onDefineDomain('xml', '{}')).toBe('xml<b><a>');
		expect(await hooks.preCloudInitIso({ data: 'data', noCloudSource: '{}' }, '{}')).toEqual({ data: 'data<b>', noCloudSource: '' });
		await hooks.shutdown();
		expect(calls).toEqual(['b OnDefineDomain', 'a OnDefineDomain', 'b PreCloudInitIso', 'a Shutdown', 'c Shutdown']);
	});

	it('tells what a sidecar says when it refuses, and does not mind at the end', async () => {
		const refuse: GrpcMethod = () => {
			throw grpcError(3, 'not mine');
		};
		const more = { [callbackPath('v1alpha3', 'OnDefineDomain')]: refuse, [callbackPath('v1alpha3', 'Shutdown')]: refuse };
		const hooks = await collectHooks(systemClock, [await sidecar('a', {}, [], more)]);
		await expect(hooks.onDefineDomain('xml', '{}')).rejects.toThrow('a hook sidecar failed at OnDefineDomain: not mine');
		await hooks.shutdown();
	});

	it('refuses sidecars of no known version, and those that do not answer', async () => {
		const old = await sidecar('old', { versions: ['v0'] }, []);
		await expect(collectHooks(systemClock, [old])).rejects.toThrow('does not expose a supported version, only v0');
		await expect(collectHooks(systemClock, [join(directory, 'none.sock')])).rejects.toThrow('a hook sidecar failed at Info');
	});
});

it('runs the sidecar of a registered binding plugin, which knows its name and what the pod shows', async () => {
	const nic = { network: 'default', mac: '00:00:00:aa:bb:cc', mtu: 1442 };
	const options = { directory, environment: {}, signal: AbortSignal.timeout(60_000), nic };
	const sidecars = bindingSidecarsOf([{ binding: { name: 'tapestry-tap' } }]);
	const running = await startHookSidecars({ env: process.env, clock: systemClock }, sidecars, options);
	try {
		const instance = {
			metadata: { name: 'vm1', namespace: 'default', uid: 'u1' },
			spec: {
				domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'tapestry-tap' } }] } },
				networks: [{ name: 'default', pod: {} }],
			},
		};
		// KubeVirt makes no interface for such a plugin.
		const xml = domainXml({ ...machineConfig, nic: undefined });
		const defined = await running.hooks.onDefineDomain(xml, JSON.stringify(instance));
		expect(defined).toMatch(/<target dev="vmt[0-9a-f]{11}" managed="no">/);
		expect(defined).toContain('<mac address="00:00:00:aa:bb:cc">');
		expect(await running.hooks.onDefineDomain(defined, JSON.stringify(instance))).toBe(defined);
		const cloudInit = { data: '{}', noCloudSource: '{}' };
		expect(await running.hooks.preCloudInitIso(cloudInit, '{}')).toEqual(cloudInit);
		await running.hooks.shutdown();
	} finally {
		await running[Symbol.asyncDispose]();
	}
});

it("runs Tapestry's own sidecars beside a machine whose NIC they leave as it is, three times", async () => {
	const program = { program: 'agent/src/kubevirt/sidecar/main.ts', args: ['--log-level=error'] };
	const deep = join(directory, 'd'.repeat(90));
	const options = { directory: deep, environment: {}, signal: AbortSignal.timeout(60_000) };
	const running = await startHookSidecars({ env: process.env, clock: systemClock }, [program, program], options);
	try {
		const xml = domainXml(machineConfig);
		const instance = (annotations: object) =>
			JSON.stringify({
				metadata: { name: 'vm1', namespace: 'default', uid: 'u1', annotations },
				spec: {
					domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'tapestry' }, macAddress: '00:00:00:aa:bb:cc' }] } },
					networks: [{ name: 'default', pod: {} }],
				},
			});
		let current = xml;
		for (let call = 0; call < 3; call++) current = await running.hooks.onDefineDomain(current, instance({}));
		expect(current).toBe(xml);
		const onHost = await running.hooks.onDefineDomain(xml, instance({ 'tapestry.io/attachment-mode': 'tap' }));
		expect(onHost).toMatch(/<target dev="vmt[0-9a-f]{11}" managed="no">/);
		expect(onHost.replace(/<target dev="vmt.*?<\/target>/, "<target dev='tap0' managed='no'/>")).toBe(xml);
		await running.hooks.shutdown();
	} finally {
		await running[Symbol.asyncDispose]();
	}
});
