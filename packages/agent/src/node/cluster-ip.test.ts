import type { EndpointSlice, Service, ServiceSpec } from '@tapestry/kube';
import { describe, expect, it } from 'vitest';
import { clusterIpPorts } from './cluster-ip.ts';

const service = (name: string, spec: ServiceSpec): Service => ({ metadata: { namespace: 'default', name }, spec });
const http = [{ port: 80 }];

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
	clusterIpPorts([service('web', { clusterIP: '10.96.0.9', ports: http })], slices).flatMap((one) =>
		one.endpoints.map(({ address, port }) => `${address}:${port}`),
	);

describe('what cluster IPs stand for', () => {
	it('gives each address of a service the endpoints of its family', () => {
		const dual = service('web', { clusterIPs: ['10.96.0.9', 'FD00:10:96:0::9'], ports: [{ name: 'http', port: 80 }] });
		const named = [{ name: 'http', port: 8080 }];
		const slices = [
			slice('web-4', { addresses: ['10.16.0.3', '10.16.0.2'], ports: named }),
			slice('web-6', { type: 'IPv6', addresses: ['fd00:10:16::2'], ports: named }),
		];
		expect(clusterIpPorts([dual], slices)).toEqual([
			{
				name: 'default/web/tcp/80/ipv4',
				family: 4,
				protocol: 'tcp',
				address: '10.96.0.9',
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
				address: 'fd00:10:96::9',
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
		const found = clusterIpPorts([dns], [slice('web', { addresses: ['10.16.0.2'], ports })]);
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
		const found = clusterIpPorts([service('web', { clusterIP: '10.96.0.9', ports: http, publishNotReadyAddresses: true })], [unready]);
		expect(found[0]?.endpoints).toEqual([{ address: '10.16.0.5', port: 8080 }]);
	});

	it('leaves out services without a cluster IP', () => {
		const none = [
			service('headless', { clusterIP: 'None', clusterIPs: ['None'], ports: http }),
			service('pending', { clusterIP: '', ports: http }),
			service('name', { type: 'ExternalName', clusterIP: '10.96.0.9', ports: http }),
		];
		expect(clusterIpPorts(none, [])).toEqual([]);
	});

	it('does not depend on the order in which it is told, not even who wins an address', () => {
		const services = ['b', 'a', 'c'].map((name) => service(name, { clusterIP: name === 'c' ? '10.96.0.2' : '10.96.0.1', ports: http }));
		const names = (list: readonly Service[]) => clusterIpPorts(list, []).map(({ name }) => name);
		expect(names(services)).toEqual(['default/a/tcp/80/ipv4', 'default/c/tcp/80/ipv4']);
		expect(names([...services].reverse())).toEqual(names(services));
	});
});
