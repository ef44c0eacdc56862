/** Priorities of Logical_Router_Policy rows in the default VPC; Kube-OVN's, so that its users' own policies keep their place among them. */
export const policyPriority = {
	/** Traffic to another subnet is routed as usual. */
	subnet: 31_000,
	/** Traffic to a node goes to that node's join port. */
	node: 30_000,
	/** What a static route of the VPC is for is routed as usual. */
	route: 29_500,
	/** All else leaves through the sender's own node. */
	egress: 29_000,
} as const;
