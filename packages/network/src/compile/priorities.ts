/** Priorities of Logical_Router_Policy rows in the default VPC; Kube-OVN's, so that its users' own policies keep their place among them. */
export const policyPriority = {
	/** Traffic to another subnet is routed as usual. */
	subnet: 31_000,
	/** Traffic to a node goes to that node's join port. */
	node: 30_000,
	/** What a static route of the VPC is for is routed as usual. */
	route: 29_500,
	/** A subnet with a centralized gateway leaves through that. */
	gateway: 29_100,
	/** All else leaves through the sender's own node. */
	egress: 29_000,
} as const;

/**
 * Bands of ACL priorities (ovn-nb(5): 0 to 32767). The first row that matches counts, so a band overrides those below it; docs/design/0009-verdicts.md
 * says why they stand in this order.
 */
export const aclBand = {
	/** What no policy can forbid: DHCP, neighbour discovery, a node to its own pods. */
	always: 32_700,
	/** Other subnets, of a private one. */
	private: 32_600,
	/** `drop` and `reject` of a subnet's `acls`, the first at the top. */
	subnet: { top: 32_500, size: 1000 },
	/** All rules of ports that more than one family of policies is about, in one list for each combination. */
	combined: { top: 31_000, size: 10_000 },
	/** AdminNetworkPolicies: a hundred priorities of a hundred rules. */
	admin: { top: 20_999, priorities: 100, rules: 100 },
	/** NetworkPolicies, as in Kube-OVN. */
	allow: 2001,
	deny: 2000,
	/** The BaselineAdminNetworkPolicy. */
	baseline: { top: 1999, rules: 100 },
} as const;
