/** A field of a packet (ovn-sb(5), "Logical_Flow match"). */
export interface FieldSymbol {
	readonly kind: 'field';
	/** Bits; 0 for strings. */
	readonly width: number;
	/** What must hold before the field has a meaning. */
	readonly prerequisite: string | undefined;
	/** Whether its values have an order and masks; the others may be tested for equality only. */
	readonly isOrdinal: boolean;
}
/** Part of another field. */
export interface SubfieldSymbol {
	readonly kind: 'subfield';
	readonly parent: string;
	readonly low: number;
	readonly high: number;
	readonly prerequisite: string | undefined;
}
/** A short name for an expression. */
export interface PredicateSymbol {
	readonly kind: 'predicate';
	readonly expansion: string;
	/** Whether it compares a field without order, and so may not be negated. */
	readonly isNominal: boolean;
}
export type FieldOrPredicate = FieldSymbol | SubfieldSymbol | PredicateSymbol;

const ordinal = (width: number, prerequisite?: string): FieldSymbol => ({ kind: 'field', width, prerequisite, isOrdinal: true });
const nominal = (width: number, prerequisite?: string): FieldSymbol => ({ kind: 'field', width, prerequisite, isOrdinal: false });
const bits = (parent: string, low: number, high = low, prerequisite?: string): SubfieldSymbol => ({
	kind: 'subfield',
	parent,
	low,
	high,
	prerequisite,
});
const predicate = (expansion: string): PredicateSymbol => ({ kind: 'predicate', expansion, isNominal: true });
const ordinalPredicate = (expansion: string): PredicateSymbol => ({ kind: 'predicate', expansion, isNominal: false });

/** OVN 23.03's own table: lib/logical-fields.c, ovn_init_symtab. Registers are left out: rows of ours have no business with them. */
const table: Readonly<Record<string, FieldOrPredicate>> = {
	inport: nominal(0),
	outport: nominal(0),
	'eth.src': ordinal(48),
	'eth.dst': ordinal(48),
	'eth.type': nominal(16),
	'eth.bcast': ordinalPredicate('eth.dst == ff:ff:ff:ff:ff:ff'),
	'eth.mcast': bits('eth.dst', 40),
	'eth.mcastv6': ordinalPredicate('eth.dst[32..47] == 0x3333'),
	'vlan.tci': ordinal(16),
	'vlan.present': bits('vlan.tci', 12),
	'vlan.pcp': bits('vlan.tci', 13, 15, 'vlan.present'),
	'vlan.vid': bits('vlan.tci', 0, 11, 'vlan.present'),
	ip4: predicate('eth.type == 0x800'),
	ip6: predicate('eth.type == 0x86dd'),
	ip: predicate('ip4 || ip6'),
	'ip.proto': nominal(8, 'ip'),
	'ip.dscp': nominal(6, 'ip'),
	'ip.ecn': nominal(2, 'ip'),
	'ip.ttl': nominal(8, 'ip'),
	'ip.frag': ordinal(2, 'ip'),
	'ip.is_frag': bits('ip.frag', 0, 0, 'ip'),
	'ip.later_frag': bits('ip.frag', 1, 1, 'ip'),
	'ip.first_frag': ordinalPredicate('ip.is_frag && !ip.later_frag'),
	'ip4.src': ordinal(32, 'ip4'),
	'ip4.dst': ordinal(32, 'ip4'),
	'ip4.src_mcast': ordinalPredicate('ip4.src[28..31] == 0xe'),
	'ip4.mcast': ordinalPredicate('ip4.dst[28..31] == 0xe'),
	'ip6.src': ordinal(128, 'ip6'),
	'ip6.dst': ordinal(128, 'ip6'),
	'ip6.label': nominal(20, 'ip6'),
	'ip6.mcast': ordinalPredicate('eth.mcastv6 && ip6.dst[120..127] == 0xff'),
	icmp4: predicate('ip4 && ip.proto == 1'),
	'icmp4.type': nominal(8, 'icmp4'),
	'icmp4.code': nominal(8, 'icmp4'),
	icmp6: predicate('ip6 && ip.proto == 58'),
	'icmp6.type': nominal(8, 'icmp6'),
	'icmp6.code': nominal(8, 'icmp6'),
	icmp: predicate('icmp4 || icmp6'),
	igmp: predicate('ip4 && ip.proto == 2'),
	mldv1: predicate('ip6.src == fe80::/10 && icmp6.type == {130, 131, 132}'),
	mldv2: predicate('ip6.dst == ff02::16 && icmp6.type == 143'),
	arp: predicate('eth.type == 0x806'),
	'arp.op': nominal(16, 'arp'),
	'arp.spa': ordinal(32, 'arp'),
	'arp.sha': ordinal(48, 'arp'),
	'arp.tpa': ordinal(32, 'arp'),
	'arp.tha': ordinal(48, 'arp'),
	rarp: predicate('eth.type == 0x8035'),
	nd: predicate('icmp6.type == {135, 136} && icmp6.code == 0 && ip.ttl == 255'),
	nd_ns: predicate('icmp6.type == 135 && icmp6.code == 0 && ip.ttl == 255'),
	nd_na: predicate('icmp6.type == 136 && icmp6.code == 0 && ip.ttl == 255'),
	nd_rs: predicate('icmp6.type == 133 && icmp6.code == 0 && ip.ttl == 255'),
	nd_ra: predicate('icmp6.type == 134 && icmp6.code == 0 && ip.ttl == 255'),
	'nd.target': ordinal(128, 'nd'),
	'nd.sll': ordinal(48, 'nd_ns'),
	'nd.tll': ordinal(48, 'nd_na'),
	tcp: predicate('ip.proto == 6'),
	'tcp.src': ordinal(16, 'tcp'),
	'tcp.dst': ordinal(16, 'tcp'),
	'tcp.flags': ordinal(12, 'tcp'),
	udp: predicate('ip.proto == 17'),
	'udp.src': ordinal(16, 'udp'),
	'udp.dst': ordinal(16, 'udp'),
	sctp: predicate('ip.proto == 132'),
	'sctp.src': ordinal(16, 'sctp'),
	'sctp.dst': ordinal(16, 'sctp'),
	ct_state: ordinal(32),
	ct_mark: ordinal(32),
	ct_label: ordinal(128),
	'ct.new': bits('ct_state', 0, 0, 'ct.trk'),
	'ct.est': bits('ct_state', 1, 1, 'ct.trk'),
	'ct.rel': bits('ct_state', 2, 2, 'ct.trk'),
	'ct.rpl': bits('ct_state', 3, 3, 'ct.trk'),
	'ct.inv': bits('ct_state', 4, 4, 'ct.trk'),
	'ct.trk': bits('ct_state', 5),
	'ct.snat': bits('ct_state', 6, 6, 'ct.trk'),
	'ct.dnat': bits('ct_state', 7, 7, 'ct.trk'),
};
const symbols: ReadonlyMap<string, FieldOrPredicate> = new Map(Object.entries(table));

export function symbolOf(name: string): FieldOrPredicate | undefined {
	return symbols.get(name);
}

/** A name seen through to its field: which bits, and whether their values have an order. */
export interface Resolved {
	readonly field: string;
	readonly low: number;
	readonly width: number;
	readonly isString: boolean;
	readonly isOrdinal: boolean;
	readonly prerequisites: readonly string[];
}

/** `undefined` for predicates and unknown names. */
export function resolveField(name: string): Resolved | undefined {
	const symbol = symbolOf(name);
	if (!symbol || symbol.kind === 'predicate') return undefined;
	const own = symbol.prerequisite === undefined ? [] : [symbol.prerequisite];
	if (symbol.kind === 'field') {
		const { width, isOrdinal } = symbol;
		return { field: name, low: 0, width, isString: width === 0, isOrdinal, prerequisites: own };
	}
	const parent = resolveField(symbol.parent);
	if (!parent) return undefined;
	const width = symbol.high - symbol.low + 1;
	return { ...parent, low: parent.low + symbol.low, width, prerequisites: [...parent.prerequisites, ...own] };
}
