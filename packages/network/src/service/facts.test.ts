import { expect, it } from 'vitest';
import { endpointSliceFacts, serviceFacts } from './facts.ts';

it('reads Services, and leaves out those without an address', () => {
	const service = (spec: object) => serviceFacts({ metadata: { name: 's', namespace: 'd' }, spec });
	const ports = [{ port: 53, protocol: 'UDP' as const, name: 'dns' }, { port: 80 }];
	expect(service({ clusterIP: '10.96.0.5', ports, sessionAffinity: 'ClientIP' })).toMatchObject({
		clusterIps: ['10.96.0.5'],
		ports: [
			{ name: 'dns', protocol: 'udp', port: 53, nodePort: undefined },
			{ name: '', protocol: 'tcp', port: 80, nodePort: undefined },
		],
		isSticky: true,
	});
	expect(service({ clusterIP: 'None', ports }).clusterIps).toEqual([]);
	expect(service({ type: 'ExternalName' }).clusterIps).toEqual([]);
	expect(service({ clusterIPs: ['10.96.0.5', 'FD00:0::5'] }).clusterIps).toEqual(['10.96.0.5', 'fd00::5']);
});

it('reads EndpointSlices of Services', () => {
	const metadata = { name: 'e', namespace: 'd', labels: { 'kubernetes.io/service-name': 's' } };
	const endpoints = [
		{ addresses: ['10.0.0.1'] },
		{ addresses: ['10.0.0.2'], nodeName: 'n2', conditions: { ready: false, serving: true, terminating: true } },
	];
	expect(endpointSliceFacts({ metadata, addressType: 'IPv4', endpoints, ports: [{ name: 'http', port: 8080 }] })).toEqual({
		service: 'd/s',
		family: 4,
		endpoints: [
			{ address: '10.0.0.1', isReady: true, isServing: true, node: '' },
			{ address: '10.0.0.2', isReady: false, isServing: true, node: 'n2' },
		],
		ports: { http: 8080 },
	});
	expect(endpointSliceFacts({ metadata, addressType: 'FQDN' })).toBeUndefined();
	expect(endpointSliceFacts({ metadata: { name: 'e' }, addressType: 'IPv4' })).toBeUndefined();
});

it('reads what a Service has outside of the cluster, as far as its type has it', () => {
	const spec = { ports: [{ port: 80, nodePort: 30080 }], externalIPs: ['192.0.2.9'], externalTrafficPolicy: 'Local' as const };
	const status = { loadBalancer: { ingress: [{ ip: '192.0.2.8' }, {}] } };
	const facts = (type: 'ClusterIP' | 'NodePort' | 'LoadBalancer') =>
		serviceFacts({ metadata: { name: 's' }, spec: { ...spec, type }, status });
	expect(facts('LoadBalancer')).toMatchObject({ externalIps: ['192.0.2.8', '192.0.2.9'], ports: [{ nodePort: 30080 }], external: 'Local' });
	expect(facts('NodePort')).toMatchObject({ externalIps: ['192.0.2.9'], ports: [{ nodePort: 30080 }] });
	expect(facts('ClusterIP')).toMatchObject({ ports: [{ nodePort: undefined }] });
});

it('reads the VPC that a Service was given', () => {
	const facts = (annotations: Record<string, string>) => serviceFacts({ metadata: { name: 's', annotations } }).vpc;
	expect(facts({})).toBeUndefined();
	expect(facts({ 'ovn.kubernetes.io/vpc': 'blue' })).toBe('blue');
	expect(facts({ 'ovn.kubernetes.io/logical_router': 'blue' })).toBe('blue');
});
