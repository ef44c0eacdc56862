import { type ForwardedPort, matching, meta, payload, podSideAddresses } from '@tapestry/network';

const preInbound = 'KUBEVIRT_PREINBOUND';
const postInbound = 'KUBEVIRT_POSTINBOUND';

export const natTables = { 4: { family: 'ip', name: 'nat' }, 6: { family: 'ip6', name: 'nat' } } as const;

export interface MasqueradeOptions {
	readonly family: 4 | 6;
	/** The sandbox's interface. */
	readonly ifname: string;
	/** The bridge with the tap. */
	readonly bridge: string;
	/** What is let in; everything when there is none. */
	readonly forward: readonly ForwardedPort[];
}

/**
 * NAT between the sandbox's interface and the guest behind it, in KubeVirt's tables and chains. The hooks' priorities are the numbers of `dstnat` and
 * `srcnat`. Source: KubeVirt, pkg/network/driver/nft and setup/masquerade.
 */
export function masqueradeRules({ family, ifname, bridge, forward }: MasqueradeOptions): readonly object[] {
	const table = natTables[family];
	const { guest, gateway, loopback } = podSideAddresses[family];
	const protocol = table.family;
	const chain = (name: string, base: object = {}): object => ({ add: { chain: { family: protocol, table: table.name, name, ...base } } });
	const nat = (hook: string, prio: number): object => chain(hook, { type: 'nat', hook, prio, policy: 'accept' });
	const rule = (of: string, ...expr: readonly object[]): object => ({
		add: { rule: { family: protocol, table: table.name, chain: of, expr } },
	});
	const ip = (field: string): object => payload(protocol, field);
	// nft asks which transport protocol it is when it matches its port.
	const which: readonly (readonly object[])[] =
		forward.length === 0 ? [[]] : forward.map(({ protocol: transport, port }) => [matching(payload(transport, 'dport'), port)]);
	return [
		{ add: { table } },
		nat('prerouting', -100),
		nat('output', -100),
		nat('postrouting', 100),
		chain(preInbound),
		chain(postInbound),
		rule('postrouting', matching(ip('saddr'), guest), { masquerade: null }),
		rule('prerouting', matching(meta('iifname'), ifname), { jump: { target: preInbound } }),
		rule('postrouting', matching(meta('oifname'), bridge), { jump: { target: postInbound } }),
		...which.flatMap((condition) => [
			rule(preInbound, ...condition, { dnat: { addr: guest } }),
			rule(postInbound, ...condition, matching(ip('saddr'), loopback), { snat: { addr: gateway } }),
			rule('output', matching(ip('daddr'), loopback), ...condition, { dnat: { addr: guest } }),
		]),
	];
}
