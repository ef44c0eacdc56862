import type { EndpointSlice, Service, ServiceSpec } from '@tapestry/kube';
import type { Subnet } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { nodeServices, reachOf } from './node-services.ts';

const service = (name: string, spec: ServiceSpec): Service => ({ metadata: { namespace: 'default', name }, spec });
const http = [{ port: 80 }];
const here = { node: 'n1', reach: reachOf([]) };

interface SliceFacts {
	readonly of?: string;
	readonly type?: EndpointSlice['addressType'];
	readonly addresses?: readonly string[];
	readonly conditions?: { readonly ready?: boolean };
	readonly ports?: EndpointSlice['ports'];
}

const slice = (name: string, facts: SliceFacts): EndpointSlice => ({
	metadata: { namespace: 'default', name, labels: { 'kubernetes.io/service-name': facts.of ?? 'web' } },
	addressType: facts.type ?? 'IPv4',
	endpoints: (facts.addresses ?? []).map((address) => ({
		addresses: [address],
		...(facts.conditions ? { conditions: facts.conditions } : {}),
	})),
	ports: facts.ports ?? [{ port: 8080 }],
});

const endpoints = (...slices: readonly EndpointSlice[]) =>
	nodeServices([service('web', { clusterIP: '10.96.0.9', ports: http })], slices, here).flatMap((one) =>
		one.endpoints.map(({ address, port }) => `${address}:${port}`),
	);

describe('the services of a node', () => {
	it('gives each address of a service the endpoints of its family', () => {
		const dual = service('web', { clusterIPs: ['10.96.0.9', 'FD00:10:96:0::9'], ports: [{ name: 'http', port: 80 }] });
		const named = [{ name: 'http', port: 8080 }];
		const slices = [
			slice('web-4', { addresses: ['10.16.0.3', '10.16.0.2'], ports: named }),
			slice('web-6', { type: 'IPv6', addresses: ['fd00:10:16::2'], ports: named }),
		];
		expect(nodeServices([dual], slices, here)).toMatchObject([
			{
				name: 'default/web/tcp/80/ipv4',
				family: 4,
				protocol: 'tcp',
				clusterIps: ['10.96.0.9'],
				port: 80,
				endpoints: [
					{ address: '10.16.0.2', port: 8080 },
					{ address: '10.16.0.3', port: 8080 },
				],
			},
			{
				name: 'default/web/tcp/80/ipv6',
				family: 6,
				protocol: 'tcp',
				clusterIps: ['fd00:10:96::9'],
				port: 80,
				endpoints: [{ address: 'fd00:10:16::2', port: 8080 }],
			},
		]);
	});

	it('matches ports by name, and tells TCP from UDP', () => {
		const dns = service('web', {
			clusterIP: '10.96.0.10',
			ports: [
				{ name: 'udp', protocol: 'UDP', port: 53 },
				{ name: 'tcp', protocol: 'TCP', port: 53 },
				{ name: 'sctp', protocol: 'SCTP', port: 53 },
			],
		});
		const ports = [
			{ name: 'udp', port: 5353 },
			{ name: 'tcp', port: 5354 },
			{ name: 'sctp', port: 5355 },
		];
		const found = nodeServices([dns], [slice('web', { addresses: ['10.16.0.2'], ports })], here);
		expect(found.map(({ protocol, endpoints }) => [protocol, endpoints[0]?.port])).toEqual([
			['tcp', 5354],
			['udp', 5353],
		]);
	});

	it('takes an endpoint once, if it is ready or nobody knows', () => {
		expect(
			endpoints(
				slice('a', { addresses: ['10.16.0.4', '10.16.0.2'] }),
				slice('b', { addresses: ['10.16.0.4', 'no address'], conditions: { ready: true } }),
				slice('c', { addresses: ['10.16.0.5'], conditions: { ready: false } }),
				slice('d', { addresses: ['10.16.0.6'], of: 'other' }),
				slice('e', { addresses: ['example.org'], type: 'FQDN' }),
				slice('f', { addresses: ['10.16.0.7'], ports: [{ name: 'other', port: 1 }] }),
			),
		).toEqual(['10.16.0.2:8080', '10.16.0.4:8080']);
	});

	it('takes unready endpoints of a service that publishes them', () => {
		const unready = slice('a', { addresses: ['10.16.0.5'], conditions: { ready: false } });
		const found = nodeServices([service('web', { clusterIP: '10.96.0.9', ports: http, publishNotReadyAddresses: true })], [unready], here);
		expect(found[0]?.endpoints).toEqual([{ address: '10.16.0.5', port: 8080 }]);
	});

	it('leaves out services without a cluster IP', () => {
		const none = [
			service('headless', { clusterIP: 'None', clusterIPs: ['None'], ports: http }),
			service('pending', { clusterIP: '', ports: http }),
			service('name', { type: 'ExternalName', clusterIP: '10.96.0.9', ports: http }),
		];
		expect(nodeServices(none, [], here)).toEqual([]);
	});

	it('does not depend on the order in which it is told, not even who wins an address', () => {
		const services = ['b', 'a', 'c'].map((name) => service(name, { clusterIP: name === 'c' ? '10.96.0.2' : '10.96.0.1', ports: http }));
		const names = (list: readonly Service[]) => nodeServices(list, [], here).map(({ name }) => name);
		expect(names(services)).toEqual(['default/a/tcp/80/ipv4', 'default/c/tcp/80/ipv4']);
		expect(names([...services].reverse())).toEqual(names(services));
	});

	it('knows which endpoints are on the node, and leaves out those that it does not reach', () => {
		const slices: EndpointSlice = {
			...slice('a', {}),
			endpoints: [
				{ addresses: ['10.16.0.2'], nodeName: 'n1' },
				{ addresses: ['10.16.0.3'], nodeName: 'n2' },
				{ addresses: ['10.77.0.9'], nodeName: 'n1' },
			],
		};
		const subnet = (cidrBlock: string, vpc: string): Subnet => ({ metadata: { name: vpc }, spec: { cidrBlock, vpc } });
		const reach = reachOf([subnet('10.16.0.0/16', 'ovn-cluster'), subnet('10.16.0.0/24', 'blue'), subnet('10.77.0.0/16', 'blue')]);
		const [web] = nodeServices([service('web', { clusterIP: '10.96.0.9', ports: http })], [slices], { node: 'n1', reach });
		expect(web?.endpoints.map(({ address }) => address)).toEqual(['10.16.0.2', '10.16.0.3']);
		expect(web?.local).toEqual([{ address: '10.16.0.2', port: 8080 }]);
		expect(reach.address('192.0.2.1')).toBe(true);
	});

	it('gives outer addresses and node ports to one service each', () => {
		const open = (name: string, clusterIP: string): Service => ({
			...service(name, { type: 'LoadBalancer', clusterIP, ports: [{ port: 80, nodePort: 30080 }], externalTrafficPolicy: 'Local' }),
			status: { loadBalancer: { ingress: [{ ip: '192.0.2.8' }] } },
		});
		const found = nodeServices([open('b', '10.96.0.2'), open('a', '10.96.0.1')], [], here);
		expect(found).toMatchObject([
			{ name: 'default/a/tcp/80/ipv4', externalIps: ['192.0.2.8'], nodePort: 30080, external: 'Local' },
			{ name: 'default/b/tcp/80/ipv4', clusterIps: ['10.96.0.2'], externalIps: [], nodePort: undefined },
		]);
	});

	it('leaves the services of other VPCs alone', () => {
		const blue = service('web', { clusterIP: '10.96.0.9', ports: http });
		const annotated = { ...blue, metadata: { ...blue.metadata, annotations: { 'ovn.kubernetes.io/vpc': 'blue' } } };
		expect(nodeServices([annotated], [], here)).toEqual([]);
		const subnet: Subnet = { metadata: { name: 'blue' }, spec: { vpc: 'blue', cidrBlock: '10.16.0.0/24', namespaces: ['default'] } };
		expect(nodeServices([blue], [], { node: 'n1', reach: reachOf([subnet]) })).toEqual([]);
	});
});
