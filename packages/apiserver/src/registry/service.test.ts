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

	it('are checked', () => {
		using rest = createTestRest();
		expect(() => create(rest, 'a', { type: 'Odd' })).toThrow('spec.type: Unsupported value: "Odd"');
		expect(() => create(rest, 'a', { ports: [] })).toThrow('spec.ports: Required value');
		expect(() => create(rest, 'a', { ports: [{ port: 80 }, { port: 81 }] })).toThrow('spec.ports[0].name: Required value');
		expect(() => create(rest, 'a', { ports: [{ port: 0 }] })).toThrow('spec.ports[0].port: Invalid value: 0');
		expect(() => create(rest, '1a')).toThrow('DNS-1035');
	});
});
