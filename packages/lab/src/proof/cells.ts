/** A workload that can send and answer. */
export interface Endpoint {
	readonly kind: 'pod' | 'vm';
	readonly namespace: string;
	readonly name: string;
	readonly node: string;
	/** One IPv4, one IPv6, or both. */
	readonly addresses: readonly string[];
}

export interface Probe {
	readonly from: Endpoint;
	readonly to: Endpoint;
	readonly place: 'same node' | 'other node';
	readonly family: 'IPv4' | 'IPv6';
	readonly address: string;
}

/** One cell of the matrix: the probes of one kind pair, place and family. */
export interface Cell {
	readonly row: string;
	readonly column: string;
	readonly probe: Probe | undefined;
}

const kinds = ['pod', 'vm'] as const;
const places = ['same node', 'other node'] as const;
const families = ['IPv4', 'IPv6'] as const;

/** The matrix: who asks whom, by where they are and the family; a cell without a pair of such workloads has no probe. */
export function chooseProbes(endpoints: readonly Endpoint[]): readonly Cell[] {
	const pairs = endpoints.flatMap((from) => endpoints.filter((to) => to !== from).map((to) => ({ from, to })));
	return kinds.flatMap((fromKind) =>
		kinds.flatMap((toKind) =>
			places.flatMap((place) =>
				families.map((family): Cell => {
					const pair = pairs.find(
						({ from, to }) =>
							from.kind === fromKind &&
							to.kind === toKind &&
							(from.node === to.node) === (place === 'same node') &&
							addressOf(from, family) !== undefined &&
							addressOf(to, family) !== undefined,
					);
					const address = pair && addressOf(pair.to, family);
					return {
						row: `${fromKind} -> ${toKind}`,
						column: `${place} ${family}`,
						probe: pair && address ? { ...pair, place, family, address } : undefined,
					};
				}),
			),
		),
	);
}

function addressOf(endpoint: Endpoint, family: 'IPv4' | 'IPv6'): string | undefined {
	return endpoint.addresses.find((address) => address.includes(':') === (family === 'IPv6'));
}
