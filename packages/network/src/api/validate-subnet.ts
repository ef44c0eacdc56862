import {
	type Cidr,
	cidrContains,
	cidrsOverlap,
	compareIps,
	firstAddress,
	formatCidr,
	formatIp,
	lastAddress,
	parseCidr,
	parseIp,
	parseIpRange,
} from '@tapestry/base';
import { protocolOf } from './default-subnet.ts';
import { isOlder } from './is-older.ts';
import type { Problem } from './problem.ts';
import type { Subnet } from './subnet.ts';
import { joinCidrs, splitList, subnetBlocks, vpcOf } from './subnet-addressing.ts';
import type { Vpc } from './vpc.ts';

export interface SubnetSurroundings {
	/** All subnets; the one that is looked at may be among them. */
	readonly others: Iterable<Subnet>;
	readonly vpcs: Iterable<Vpc>;
}

/** Everything that keeps the subnet from being used; empty when it is valid. */
export function validateSubnet(subnet: Subnet, { others, vpcs }: SubnetSurroundings): readonly Problem[] {
	const problems = [...nameProblems(subnet, vpcs), ...blockProblems(subnet)];
	const blocks = subnetBlocks(subnet);
	if (!blocks || blocks.length === 0) return problems;
	return [
		...problems,
		...sizeProblems(blocks),
		...protocolProblems(subnet, blocks),
		...gatewayProblems(subnet, blocks),
		...excludeProblems(subnet, blocks),
		...mtuProblems(subnet, blocks),
		...overlapProblems(subnet, blocks, others),
	];
}

function* nameProblems(subnet: Subnet, vpcs: Iterable<Vpc>): Generator<Problem> {
	const { name } = subnet.metadata;
	const vpc = vpcOf(subnet);
	if (vpc === undefined) return;
	if (vpc === name) {
		yield {
			reason: 'NameClash',
			field: 'metadata.name',
			what: `subnet ${name} cannot be made`,
			why: 'it has the name of its VPC, and the ports between the two are named after both',
			fix: 'give the subnet another name',
		};
	}
	for (const { metadata } of vpcs) if (metadata.name === vpc) return;
	yield {
		reason: 'VpcUnknown',
		field: 'spec.vpc',
		what: `subnet ${name} waits for its VPC`,
		why: `there is no Vpc ${vpc}`,
		fix: `create Vpc ${vpc}, or name another in spec.vpc`,
	};
}

function* blockProblems(subnet: Subnet): Generator<Problem> {
	const field = 'spec.cidrBlock';
	const texts = splitList(subnet.spec.cidrBlock);
	const fix = 'write one block such as 10.16.0.0/16, or two such as 10.16.0.0/16,fd00:10:16::/112';
	if (texts.length === 0) {
		yield { reason: 'CidrMissing', field, what: 'the subnet has no addresses', why: 'spec.cidrBlock is empty', fix };
	}
	const families = new Set<number>();
	for (const text of texts) {
		const cidr = parseCidr(text);
		if (!cidr) {
			yield { reason: 'CidrMalformed', field, what: `${quote(text)} is not a block of addresses`, why: whyNotBlock(text), fix };
		} else if (families.has(cidr.family)) {
			yield {
				reason: 'CidrMalformed',
				field,
				what: `${text} cannot be added`,
				why: `there is another IPv${cidr.family} block; a subnet has one of each family`,
				fix: 'make a second Subnet for it',
			};
		} else families.add(cidr.family);
	}
}

function whyNotBlock(text: string): string {
	const [address = '', prefix] = text.split('/');
	if (prefix === undefined) return 'the prefix length is missing';
	return parseIp(address) ? `the prefix length ${quote(prefix)} is not a number in range` : `${quote(address)} is not an address`;
}

function* sizeProblems(blocks: readonly Cidr[]): Generator<Problem> {
	for (const cidr of blocks) {
		if (firstAddress(cidr).value !== lastAddress(cidr).value) continue;
		yield {
			reason: 'CidrTooSmall',
			field: 'spec.cidrBlock',
			what: `${formatCidr(cidr)} cannot be a subnet`,
			why: 'the gateway takes its only address',
			fix: `use a prefix of at most ${cidr.family === 4 ? '/30' : '/126'}`,
		};
	}
}

function* protocolProblems(subnet: Subnet, blocks: readonly Cidr[]): Generator<Problem> {
	const { protocol } = subnet.spec;
	const actual = protocolOf(blocks);
	if (protocol === undefined || protocol === actual) return;
	yield {
		reason: 'ProtocolMismatch',
		field: 'spec.protocol',
		what: `protocol ${protocol} does not go with ${joinCidrs(blocks)}`,
		why: `these blocks make ${actual}`,
		fix: `set spec.protocol to ${actual}, or leave it out`,
	};
}

function* gatewayProblems(subnet: Subnet, blocks: readonly Cidr[]): Generator<Problem> {
	const field = 'spec.gateway';
	const fix = `use an address of ${joinCidrs(blocks)}, or leave it out to get the first one`;
	const families = new Set<number>();
	for (const text of splitList(subnet.spec.gateway)) {
		const what = `${quote(text)} cannot be a gateway`;
		const gateway = parseIp(text);
		if (!gateway) {
			yield { reason: 'GatewayMalformed', field, what, why: 'it is not an address', fix };
			continue;
		}
		const block = blocks.find((cidr) => cidrContains(cidr, gateway));
		if (!block) yield { reason: 'GatewayOutside', field, what, why: `it is not in ${joinCidrs(blocks)}`, fix };
		else if (compareIps(gateway, firstAddress(block)) < 0 || compareIps(gateway, lastAddress(block)) > 0) {
			yield { reason: 'GatewayReserved', field, what, why: `it is the network's or the broadcast address of ${formatCidr(block)}`, fix };
		} else if (families.has(gateway.family)) {
			yield { reason: 'GatewayMalformed', field, what, why: `there is another IPv${gateway.family} gateway`, fix };
		}
		families.add(gateway.family);
	}
}

function* excludeProblems(subnet: Subnet, blocks: readonly Cidr[]): Generator<Problem> {
	for (const [index, text] of (subnet.spec.excludeIps ?? []).entries()) {
		const field = `spec.excludeIps[${index}]`;
		const range = parseIpRange(text);
		if (range) {
			const inside = blocks.some((cidr) => [range.first, range.last].every((value) => cidrContains(cidr, { family: range.family, value })));
			if (inside) continue;
			yield {
				reason: 'ExcludeOutside',
				field,
				what: `${text} cannot be excluded`,
				why: `not all of it is in ${joinCidrs(blocks)}`,
				fix: 'remove it, or shorten it to the part that is inside',
			};
		} else {
			const [first, last] = text.split('..').map(parseIp);
			const descending = first && last && first.family === last.family && text.split('..').length === 2;
			yield {
				reason: descending ? 'ExcludeDescending' : 'ExcludeMalformed',
				field,
				what: `${quote(text)} is not a range of addresses`,
				why: descending ? `${formatIp(first)} is above ${formatIp(last)}` : 'it is neither an address nor two with .. between them',
				fix: descending ? `write ${formatIp(last)}..${formatIp(first)}` : 'write it like 10.16.0.5 or 10.16.0.5..10.16.0.9',
			};
		}
	}
}

/** RFC 8200 section 5: every link that carries IPv6 has an MTU of at least 1280 bytes. */
function* mtuProblems(subnet: Subnet, blocks: readonly Cidr[]): Generator<Problem> {
	const { mtu } = subnet.spec;
	if (mtu === undefined || mtu >= 1280 || !blocks.some(({ family }) => family === 6)) return;
	yield {
		reason: 'MtuTooSmall',
		field: 'spec.mtu',
		what: `an MTU of ${mtu} does not carry IPv6`,
		why: 'IPv6 needs at least 1280 bytes',
		fix: 'raise spec.mtu to 1280 or more, or remove the IPv6 block',
	};
}

/** Of two subnets that overlap the older keeps working, whichever is looked at first. */
function* overlapProblems(subnet: Subnet, blocks: readonly Cidr[], others: Iterable<Subnet>): Generator<Problem> {
	const vpc = vpcOf(subnet);
	if (vpc === undefined) return;
	for (const other of others) {
		// Its own former state is no rival.
		if (other.metadata.name === subnet.metadata.name || !isOlder(other, subnet) || vpcOf(other) !== vpc) continue;
		for (const theirs of subnetBlocks(other) ?? []) {
			const ours = blocks.find((cidr) => cidrsOverlap(cidr, theirs));
			if (!ours) continue;
			yield {
				reason: 'CidrOverlap',
				field: 'spec.cidrBlock',
				what: `${formatCidr(ours)} cannot be used in VPC ${vpc}`,
				why: `it overlaps ${formatCidr(theirs)} of subnet ${other.metadata.name}, which was there before`,
				fix: `use a block of its own, or another VPC, or delete subnet ${other.metadata.name}`,
			};
		}
	}
}

function quote(text: string): string {
	return JSON.stringify(text);
}
