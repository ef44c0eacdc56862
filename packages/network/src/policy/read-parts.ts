import { cidrRange, cidrsOverlap, formatCidr, mergeRanges, parseCidr, rangeCidrs, subtractRanges } from '@tapestry/base';
import type { LabelSelector } from '../api/common.ts';
import type { NetworkPolicyPeer, NetworkPolicyPort } from '../api/network-policy.ts';
import type { Problem } from '../api/problem.ts';
import type { NumberedProtocol, PeerFacts, PortNameFacts, PortSpan, SelectorFacts, TrafficFacts } from '../world/policies.ts';
import { selectorKey } from '../world/selector.ts';

export type SelectorText = Pick<SelectorFacts, 'namespaces' | 'pods'>;

/** Gathers what is read out of one policy. What cannot be read is left out and told about. */
export class PolicyReader {
	readonly selectors = new Map<string, SelectorText>();
	readonly portNames = new Map<string, PortNameFacts>();
	readonly problems: Problem[] = [];

	/** Key of the selector, which the policy speaks of from now on. */
	selector(selector: SelectorText): string {
		const key = selectorKey(selector);
		this.selectors.set(key, selector);
		return key;
	}

	selected(namespaces: string | LabelSelector, pods: LabelSelector): PeerFacts {
		return { kind: 'selector', selector: this.selector({ namespaces, pods }) };
	}

	/** The name becomes part of an expression, so it has to be one (Kubernetes: IANA_SVC_NAME, RFC 6335). */
	named(protocol: NumberedProtocol, name: string, path: string): TrafficFacts | undefined {
		if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
			const why = `${JSON.stringify(name)} is not the name of a port`;
			return this.problem('PortMalformed', path, 'the port matches nothing', why, 'use lower case letters, digits and dashes');
		}
		this.portNames.set(`${protocol}/${name}`, { protocol, name });
		return { protocol, named: name };
	}

	problem(reason: string, field: string, what: string, why: string, fix: string): undefined {
		this.problems.push({ reason, field, what, why, fix });
		return undefined;
	}

	/** `undefined` for what cannot be read. */
	peer(peer: NetworkPolicyPeer, namespace: string, path: string): PeerFacts | undefined {
		const { podSelector, namespaceSelector, ipBlock } = peer;
		if (ipBlock && !podSelector && !namespaceSelector) return this.#block(ipBlock.cidr, ipBlock.except ?? [], path);
		if (ipBlock || (!podSelector && !namespaceSelector)) {
			const why = 'a peer is either an ipBlock or a podSelector, a namespaceSelector or both of these';
			return this.problem('PeerMalformed', path, 'the peer matches nobody', why, 'write one peer for each');
		}
		return this.selected(namespaceSelector ?? namespace, podSelector ?? {});
	}

	blocks(texts: readonly string[], path: string): PeerFacts | undefined {
		const read = texts.map((text) => parseCidr(text));
		const wrong = read.indexOf(undefined);
		if (wrong >= 0) return this.#malformed(texts[wrong] ?? '', path);
		return { kind: 'addresses', addresses: read.flatMap((cidr) => (cidr ? formatCidr(cidr) : [])) };
	}

	traffic({ protocol, port, endPort }: NetworkPolicyPort, path: string): TrafficFacts | undefined {
		const lower = lowerProtocol(protocol);
		if (port === undefined) return { protocol: lower, destination: undefined, source: undefined };
		if (typeof port === 'string') {
			if (endPort === undefined) return this.named(lower, port, path);
			return this.problem('PortMalformed', path, 'the port matches nothing', 'endPort goes with a number only', 'write port as a number');
		}
		const span = this.span(port, endPort ?? port, path);
		return span && { protocol: lower, destination: span, source: undefined };
	}

	span(first: number, last: number, path: string): PortSpan | undefined {
		if (first >= 1 && first <= last && last <= 65535) return { first, last };
		return this.problem('PortMalformed', path, 'the port matches nothing', `${first} to ${last} are no ports`, 'use 1 to 65535, ascending');
	}

	/** The block without its exceptions, as blocks: OVN makes few flows of a list, and many of a negation. */
	#block(text: string, except: readonly string[], path: string): PeerFacts | undefined {
		const cidr = parseCidr(text);
		if (!cidr) return this.#malformed(text, path);
		const holes = except.map((one) => parseCidr(one));
		for (const [index, hole] of holes.entries()) {
			if (hole && hole.prefix > cidr.prefix && cidrsOverlap(cidr, hole)) continue;
			const fix = `use blocks within ${text}`;
			// Letting it in all the same would open what was to stay closed.
			return this.problem('ExceptMalformed', path, 'the peer matches nobody', `${except[index]} is not a part of ${text}`, fix);
		}
		const removed = mergeRanges(holes.flatMap((hole) => (hole ? [cidrRange(hole)] : [])));
		const left = subtractRanges([cidrRange(cidr)], removed);
		return { kind: 'addresses', addresses: left.flatMap(rangeCidrs).map(formatCidr) };
	}

	#malformed(text: string, path: string): undefined {
		const why = `${JSON.stringify(text)} is not a block of addresses`;
		return this.problem('BlockMalformed', path, 'the peer matches nobody', why, 'write it like 10.0.0.0/8 or fd00::/64');
	}
}

export function lowerProtocol(protocol = 'TCP'): NumberedProtocol {
	return protocol === 'UDP' ? 'udp' : protocol === 'SCTP' ? 'sctp' : 'tcp';
}
