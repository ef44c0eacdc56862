import { expect, it } from 'vitest';
import { endpointSliceFacts, serviceFacts } from './service-facts.ts';

it('reads Services, and leaves out those without an address', () => {
	const service = (spec: object) => serviceFacts({ metadata: { name: 's', namespace: 'd' }, spec });
	const ports = [{ port: 53, protocol: 'UDP' as const, name: 'dns' }, { port: 80 }];
	expect(service({ clusterIP: '10.96.0.5', ports, sessionAffinity: 'ClientIP' })).toMatchObject({
		clusterIps: ['10.96.0.5'],
		ports: [
			{ name: 'dns', protocol: 'udp', port: 53 },
			{ name: '', protocol: 'tcp', port: 80 },
		],
		isSticky: true,
	});
	expect(service({ clusterIP: 'None', ports }).clusterIps).toEqual([]);
	expect(service({ type: 'ExternalName' }).clusterIps).toEqual([]);
	expect(service({ clusterIPs: ['10.96.0.5', 'fd00::5'] }).clusterIps).toEqual(['10.96.0.5', 'fd00::5']);
});

it('reads EndpointSlices of Services', () => {
	const metadata = { name: 'e', namespace: 'd', labels: { 'kubernetes.io/service-name': 's' } };
	const endpoints = [{ addresses: ['10.0.0.1'] }, { addresses: ['10.0.0.2'], conditions: { ready: false } }];
	expect(endpointSliceFacts({ metadata, addressType: 'IPv4', endpoints, ports: [{ name: 'http', port: 8080 }] })).toEqual({
		service: 'd/s',
		family: 4,
		endpoints: [
			{ address: '10.0.0.1', isReady: true },
			{ address: '10.0.0.2', isReady: false },
		],
		ports: { http: 8080 },
	});
	expect(endpointSliceFacts({ metadata, addressType: 'FQDN' })).toBeUndefined();
	expect(endpointSliceFacts({ metadata: { name: 'e' }, addressType: 'IPv4' })).toBeUndefined();
});
