import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { captureInWorkload, findWorkload, labNodes, outsideNetns, podPlaces, underlay } from '@tapestry/lab';
import { deps, sharedLab } from '../harness/lab.ts';
import { type Answer, outcomeOfPing, outcomeOfText, type ProbeRequest, type Protocol } from './answer.ts';
import { Prober } from './prober.ts';

export type Family = 'IPv4' | 'IPv6';

/** `pod/NAMESPACE/NAME`, `vm/NAMESPACE/NAME`, `node/NAME`, or the world outside the nodes. */
export type EndpointName = `pod/${string}/${string}` | `vm/${string}/${string}` | `node/${string}` | 'outside';

/** Something that sends and is sent to. */
export interface Endpoint extends AsyncDisposable {
	readonly addresses: readonly string[];
	/** Path of its network namespace, seen from here; a guest has none. */
	readonly netns: string | undefined;
	probe(request: Omit<ProbeRequest, 'kind'>): Promise<Answer>;
	/** Answers on the port from now on. */
	serve(protocol: Protocol, port: number): Promise<void>;
}

export function addressOf(endpoint: Pick<Endpoint, 'addresses'>, family: Family): string | undefined {
	return endpoint.addresses.find((address) => address.includes(':') === (family === 'IPv6'));
}

export async function openEndpoint(name: EndpointName): Promise<Endpoint> {
	const [kind = '', first = '', second = ''] = name.split('/');
	const layout = sharedLab();
	if (kind === 'outside') return fromNamespace(name, `/run/netns/${outsideNetns(layout)}`, underlay.outsideAddresses);
	if (kind === 'node') {
		const index = labNodes(9).find((node) => node.name === first)?.index ?? 0;
		return fromNamespace(name, `/run/netns/${layout.node(first).netns}`, underlay.nodeAddresses(index));
	}
	using client = createKubeClient({ clock: systemClock, random: Math.random }, { kubeconfig: layout.kubeconfig });
	const { node, pod, addresses } = await findWorkload(client, { kind: kind === 'vm' ? 'vm' : 'pod', namespace: first, name: second });
	if (kind === 'vm') return guest(first, second, addresses);
	const holder = readFileSync(join(layout.node(node).dir, 'holder.pid'), 'utf8').trim();
	// The pod's namespace has its name in the node's own /run.
	return fromNamespace(name, `/proc/${holder}/root${podPlaces(layout.node(node).kubeletState, pod).netns}`, addresses);
}

async function fromNamespace(name: EndpointName, path: string, addresses: readonly string[]): Promise<Endpoint> {
	const prober = await Prober.open(path);
	const served = new Set<string>();
	return {
		addresses,
		netns: path,
		probe: (request) => prober.probe(request),
		async serve(protocol, port) {
			const key = `${protocol}/${port}`;
			if (served.has(key)) return;
			served.add(key);
			await prober.serve({ protocol, port, by: name, ...(name.startsWith('pod/') ? {} : { addresses }) });
		},
		[Symbol.asyncDispose]: () => prober[Symbol.asyncDispose](),
	};
}

/** A guest has busybox only, and one serial line: it asks by one command at a time, and answers on TCP 7 (echo) and TCP 80 (a page). */
function guest(namespace: string, name: string, addresses: readonly string[]): Endpoint {
	return {
		addresses,
		netns: undefined,
		async probe({ protocol, address, port, milliseconds }) {
			const seconds = String(Math.max(1, Math.round(milliseconds / 1000)));
			const family = address.includes(':') ? '-6' : '-4';
			const command =
				protocol === 'ping'
					? ['ping', family, '-c', '1', '-W', seconds, address]
					: [
							'sh',
							'-c',
							`printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc ${protocol === 'udp' ? '-u ' : ''}-w ${seconds} ${address} ${port} || true`,
						];
			const workload = { kind: 'vm', namespace, name } as const;
			const { stdout } = await captureInWorkload(deps, sharedLab(), workload, command, AbortSignal.timeout(120_000));
			if (protocol === 'ping') return outcomeOfPing(stdout);
			if (/refused|reset|unreachable/i.test(stdout)) return { outcome: 'refused', why: stdout.trim() };
			const text = stdout.replace(/^nc: .*$/gm, '').trim();
			return text === '' ? { outcome: 'silent', why: stdout.trim() } : outcomeOfText(text);
		},
		async serve(protocol, port) {
			if (protocol === 'ping' || (protocol === 'tcp' && (port === 7 || port === 80))) return;
			throw new Error(`vm/${namespace}/${name} answers ping, TCP 7 and TCP 80 only`);
		},
		async [Symbol.asyncDispose]() {},
	};
}
