import { type Cidr, cidrContains, type Family, parseIp } from '@tapestry/base';
import type { EndpointSlice, Service } from '@tapestry/kube';
import {
	defaultNames,
	type EndpointSliceFacts,
	endpointSliceFacts,
	type ServiceFacts,
	type ServicePortFacts,
	type Subnet,
	serviceEndpoints,
	serviceFacts,
	subnetBlocks,
	vpcOf,
} from '@tapestry/network';

/** One port of a Service in one family, as a node has to translate it. SCTP is left out: OVS' userspace datapath does not translate it. */
export interface NodeService {
	/** Tells it from all others and tells people what it is: `namespace/service/tcp/443/ipv4`. */
	readonly name: string;
	readonly family: Family;
	readonly protocol: 'tcp' | 'udp';
	readonly clusterIps: readonly string[];
	readonly externalIps: readonly string[];
	readonly port: number;
	/** At the node's own addresses. */
	readonly nodePort: number | undefined;
	/** Sorted, without repetition. */
	readonly endpoints: readonly TransportAddress[];
	/** Those on this node. */
	readonly local: readonly TransportAddress[];
	readonly isSticky: boolean;
	readonly internal: 'Cluster' | 'Local';
	readonly external: 'Cluster' | 'Local';
}

export interface TransportAddress {
	readonly address: string;
	readonly port: number;
}

export interface NodeServiceOptions {
	/** Name of this node. */
	readonly node: string;
	readonly reach: Reach;
}

/** Where the node's packets get. */
export interface Reach {
	/** Whether the address is not only a tenant's. */
	readonly address: (address: string) => boolean;
	/** Whether the pods of the namespace are in the default VPC. */
	readonly namespace: (namespace: string) => boolean;
}

// Every change looks at all slices, of which all but one are the same objects as before.
const knownSlices = new WeakMap<EndpointSlice, EndpointSliceFacts | undefined>();

function sliceFacts(slice: EndpointSlice): EndpointSliceFacts | undefined {
	if (!knownSlices.has(slice)) knownSlices.set(slice, endpointSliceFacts(slice));
	return knownSlices.get(slice);
}

/** Sorted, so that equal facts make equal rules. Of two Services with one address or node port the first by name has it. */
export function nodeServices(
	services: Iterable<Service>,
	slices: Iterable<EndpointSlice>,
	options: NodeServiceOptions,
): readonly NodeService[] {
	const slicesOf = Map.groupBy(
		[...slices].flatMap((slice) => sliceFacts(slice) ?? []),
		({ service }) => service,
	);
	const taken = new Set<string>();
	const claim = (key: string): boolean => !taken.has(key) && taken.add(key) !== undefined;
	return [...services]
		.map(serviceFacts)
		.filter(({ vpc, namespace }) => (vpc === undefined ? options.reach.namespace(namespace) : vpc === defaultNames.vpc))
		.flatMap((facts) => portsOf(facts, slicesOf.get(`${facts.namespace}/${facts.name}`) ?? [], options))
		.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
		.map((one) => {
			const { family, protocol, port, nodePort } = one;
			const own = (addresses: readonly string[]) => addresses.filter((address) => claim(`${protocol} ${address} ${port}`));
			const hasNodePort = nodePort !== undefined && claim(`${protocol} ${family} ${nodePort}`);
			return { ...one, clusterIps: own(one.clusterIps), externalIps: own(one.externalIps), nodePort: hasNodePort ? nodePort : undefined };
		})
		.filter(({ clusterIps, externalIps, nodePort }) => clusterIps.length + externalIps.length > 0 || nodePort !== undefined);
}

function portsOf(facts: ServiceFacts, slices: Parameters<typeof serviceEndpoints>[3], options: NodeServiceOptions): NodeService[] {
	const { namespace, name, isSticky, internal, external } = facts;
	const ofFamily = (addresses: readonly string[], family: Family) => addresses.filter((address) => parseIp(address)?.family === family);
	const families = ([4, 6] as const).filter((family) => ofFamily(facts.clusterIps, family).length > 0);
	return families.flatMap((family) =>
		facts.ports.filter(isTranslated).map((port): NodeService => {
			const endpoints = serviceEndpoints(facts, port, family, slices).filter(({ address }) => options.reach.address(address));
			const plain = ({ address, port: number }: TransportAddress): TransportAddress => ({ address, port: number });
			return {
				name: `${namespace}/${name}/${port.protocol}/${port.port}/ipv${family}`,
				family,
				protocol: port.protocol,
				clusterIps: ofFamily(facts.clusterIps, family),
				externalIps: ofFamily(facts.externalIps, family),
				port: port.port,
				nodePort: port.nodePort,
				endpoints: endpoints.map(plain),
				local: endpoints.filter(({ node }) => node === options.node).map(plain),
				isSticky,
				internal,
				external,
			};
		}),
	);
}

const isTranslated = (port: ServicePortFacts): port is ServicePortFacts & { readonly protocol: 'tcp' | 'udp' } => port.protocol !== 'sctp';

/** Nodes are in the default VPC: those of tenants are not reached, and may have the same addresses. */
export function reachOf(subnets: Iterable<Subnet>): Reach {
	const all = [...subnets].map((subnet) => ({ subnet, isOurs: vpcOf(subnet) === defaultNames.vpc }));
	const blocks = (ours: boolean) => all.filter(({ isOurs }) => isOurs === ours).flatMap(({ subnet }) => subnetBlocks(subnet) ?? []);
	const [own, foreign] = [blocks(true), blocks(false)];
	const tenants = new Set(all.flatMap(({ subnet, isOurs }) => (isOurs ? [] : (subnet.spec.namespaces ?? []))));
	return {
		namespace: (namespace) => !tenants.has(namespace),
		address: (address) => {
			// The usual case, and there are many addresses.
			if (foreign.length === 0) return true;
			const ip = parseIp(address);
			const within = (cidrs: readonly Cidr[]): boolean => ip !== undefined && cidrs.some((cidr) => cidrContains(cidr, ip));
			return !within(foreign) || within(own);
		},
	};
}
