import { describe, expect, it } from 'vitest';
import { type ApiObject, recordAt } from '../objects.ts';
import { createTestRest, type TestRest } from '../testing/rest.ts';

const service = (name: string, spec: object = {}): object => ({ metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
const specOf = (object: ApiObject): unknown => recordAt(object, 'spec');
const create = (rest: TestRest, name: string, spec?: object): ApiObject => rest.create('services', service(name, spec));

describe('Services', () => {
	it('get an address, and keep it through manifests that do not name it', () => {
		using rest = createTestRest();
		expect(specOf(create(rest, 'a'))).toEqual({
			type: 'ClusterIP',
			clusterIP: '10.96.0.2',
			clusterIPs: ['10.96.0.2'],
			ipFamilies: ['IPv4'],
			ipFamilyPolicy: 'SingleStack',
			internalTrafficPolicy: 'Cluster',
			sessionAffinity: 'None',
			ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }],
		});
		const after = rest.update('services', 'a', (object) => ({ ...object, spec: { ports: [{ port: 81 }] } }));
		expect(specOf(after)).toMatchObject({ clusterIP: '10.96.0.2', ports: [{ port: 81 }] });
		expect(() =>
			rest.update('services', 'a', (object) => ({ ...object, spec: { ports: [{ port: 81 }], clusterIP: '10.96.0.9' } })),
		).toThrow('may not change once set');
	});

	it('never share an address, and do not inherit one at once', () => {
		using rest = createTestRest();
		create(rest, 'asked', { clusterIP: '10.96.0.3' });
		expect(() => create(rest, 'again', { clusterIP: '10.96.0.3' })).toThrow('already allocated');
		expect(() => create(rest, 'outside', { clusterIP: '10.97.0.1' })).toThrow('not in the valid range');
		expect(specOf(create(rest, 'a'))).toMatchObject({ clusterIP: '10.96.0.2' });
		expect(specOf(create(rest, 'b'))).toMatchObject({ clusterIP: '10.96.0.4' });
		rest.remove('services', 'a');
		expect(specOf(create(rest, 'c'))).toMatchObject({ clusterIP: '10.96.0.5' });
		expect(specOf(create(rest, 'd', { clusterIP: '10.96.0.2' }))).toMatchObject({ clusterIP: '10.96.0.2' });
	});

	it('are refused when no address is left', () => {
		using rest = createTestRest({ serviceCidrs: ['10.96.0.0/30'] });
		create(rest, 'a');
		expect(() => create(rest, 'b')).toThrow('no address is free in the Service CIDRs');
		rest.remove('services', 'a');
		create(rest, 'b');
	});

	it('may have both families', () => {
		using rest = createTestRest({ serviceCidrs: ['10.96.0.0/16', 'fd00:10:96::/112'] });
		expect(specOf(create(rest, 'one'))).toMatchObject({ clusterIPs: ['10.96.0.2'] });
		expect(specOf(create(rest, 'six', { ipFamilies: ['IPv6'] }))).toMatchObject({ clusterIP: 'fd00:10:96::2', ipFamilies: ['IPv6'] });
		expect(specOf(create(rest, 'dual', { ipFamilyPolicy: 'PreferDualStack' }))).toMatchObject({
			clusterIPs: ['10.96.0.3', 'fd00:10:96::3'],
			ipFamilies: ['IPv4', 'IPv6'],
		});
		expect(() => create(rest, 'same', { clusterIP: 'fd00:10:96:0::3' })).toThrow('already allocated');
	});

	it('may have none', () => {
		using rest = createTestRest();
		expect(specOf(create(rest, 'headless', { clusterIP: 'None' }))).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'] });
		const external = rest.create('services', {
			metadata: { name: 'external' },
			spec: { type: 'ExternalName', externalName: 'example.com' },
		});
		expect(specOf(external)).toEqual({ type: 'ExternalName', externalName: 'example.com', sessionAffinity: 'None' });
	});

	it('get node ports when their type asks for them, and keep them', () => {
		using rest = createTestRest();
		const ports = [
			{ name: 'a', port: 80 },
			{ name: 'b', port: 81 },
		];
		expect(specOf(create(rest, 'np', { type: 'NodePort', ports }))).toMatchObject({ ports: [{ nodePort: 30000 }, { nodePort: 30001 }] });
		const after = rest.update('services', 'np', (object) => ({ ...object, spec: { type: 'NodePort', ports: [{ name: 'b', port: 81 }] } }));
		expect(specOf(after)).toMatchObject({ ports: [{ port: 81, nodePort: 30001 }] });
		expect(specOf(create(rest, 'np2', { type: 'LoadBalancer' }))).toMatchObject({ ports: [{ nodePort: 30000 }] });
	});

	it('share no node port of one protocol, nor ask for one outside of the range', () => {
		using rest = createTestRest();
		const asking = (name: string, protocol: string, nodePort: number) =>
			create(rest, name, { type: 'NodePort', ports: [{ port: 80, protocol, nodePort }] });
		asking('a', 'TCP', 30500);
		expect(() => asking('b', 'TCP', 30500)).toThrow('provided port is already allocated');
		asking('c', 'UDP', 30500);
		rest.remove('services', 'a');
		asking('d', 'TCP', 30500);
		expect(() => asking('e', 'UDP', 30500)).toThrow('provided port is already allocated');
		expect(() => asking('f', 'TCP', 80)).toThrow('provided port is not in the valid range');
		const twice = [
			{ name: 'a', port: 80, nodePort: 30600 },
			{ name: 'b', port: 81, nodePort: 30600 },
		];
		expect(() => create(rest, 'g', { type: 'NodePort', ports: twice })).toThrow('spec.ports[1].nodePort: Duplicate value: 30600');
	});

	it('lose node ports with the type that has them, and have one for health checks where strangers keep their address', () => {
		using rest = createTestRest();
		const made = create(rest, 'lb', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
		expect(specOf(made)).toMatchObject({ healthCheckNodePort: 30000, ports: [{ nodePort: 30001 }] });
		const after = rest.update('services', 'lb', (object) => ({ ...object, spec: { ...recordAt(object, 'spec'), type: 'ClusterIP' } }));
		expect(specOf(after)).not.toHaveProperty('healthCheckNodePort');
		expect(recordAt(after, 'spec')?.ports).toEqual([{ port: 80, targetPort: 80, protocol: 'TCP' }]);
	});

	it('get and lose the second family later', () => {
		using rest = createTestRest({ serviceCidrs: ['10.96.0.0/16', 'fd00:10:96::/112'] });
		create(rest, 'a');
		const policy = (ipFamilyPolicy: string) =>
			rest.update('services', 'a', (object) => ({ ...object, spec: { ...recordAt(object, 'spec'), ipFamilyPolicy } }));
		expect(specOf(policy('PreferDualStack'))).toMatchObject({ clusterIPs: ['10.96.0.2', 'fd00:10:96::2'], ipFamilies: ['IPv4', 'IPv6'] });
		expect(specOf(policy('SingleStack'))).toMatchObject({ clusterIPs: ['10.96.0.2'], ipFamilies: ['IPv4'] });
		expect(() => policy('Both')).toThrow('spec.ipFamilyPolicy: Unsupported value');
		using single = createTestRest();
		expect(() => create(single, 'b', { ipFamilyPolicy: 'RequireDualStack' })).toThrow('not configured for dual-stack');
	});

	it('are checked', () => {
		using rest = createTestRest();
		expect(() => create(rest, 'a', { type: 'Odd' })).toThrow('spec.type: Unsupported value: "Odd"');
		expect(() => create(rest, 'a', { ports: [] })).toThrow('spec.ports: Required value');
		expect(() => create(rest, 'a', { ports: [{ port: 80 }, { port: 81 }] })).toThrow('spec.ports[0].name: Required value');
		expect(() => create(rest, 'a', { ports: [{ port: 0 }] })).toThrow('spec.ports[0].port: Invalid value: 0');
		expect(() => create(rest, '1a')).toThrow('DNS-1035');
	});
});
