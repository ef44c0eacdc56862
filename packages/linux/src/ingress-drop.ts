import { isCoded } from '@tapestry/base';
import type { Namespace } from './namespace.ts';
import { type Attribute, be32, concat, encodeAttributes, text } from './netlink/attributes.ts';
import { NLM_F_ACK, NLM_F_CREATE } from './netlink/message.ts';
import { NETLINK_NETFILTER, NetlinkSocket, type Request } from './netlink/socket.ts';

// linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_DELCHAIN = 5;
const NFTA_TABLE_NAME = 1;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_CHAIN_TYPE = 7;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;
const NFTA_HOOK_DEV = 3;
const NFPROTO_NETDEV = 5;
const NF_NETDEV_INGRESS = 0;
const NF_DROP = 0;

const table = 'tapestry-ports';

/**
 * Drops everything that a device receives, after AF_PACKET sockets have seen it and before the stack does: what arrives belongs to the switch that
 * reads the device through AF_PACKET and to nobody else on the machine. One chain per device in `table netdev tapestry-ports`. Does nothing when it is
 * there.
 *
 * An nft base chain whose policy is drop needs no rule, no classifier module and no process; a tc filter would not last, as Open vSwitch removes
 * the ingress qdisc of its ports when it sets their policing.
 */
export function dropIngress(namespace: Namespace, device: string): void {
	const hook = [
		{ type: NFTA_HOOK_HOOKNUM, value: be32(NF_NETDEV_INGRESS) },
		{ type: NFTA_HOOK_PRIORITY, value: be32(0) },
		{ type: NFTA_HOOK_DEV, value: text(device) },
	];
	const attributes = [
		...chainName(device),
		{ type: NFTA_CHAIN_HOOK, value: hook },
		{ type: NFTA_CHAIN_POLICY, value: be32(NF_DROP) },
		{ type: NFTA_CHAIN_TYPE, value: text('filter') },
	];
	commit(namespace, { operation: 'drop ingress', subject: device }, [
		[NFT_MSG_NEWTABLE, NLM_F_CREATE, [{ type: NFTA_TABLE_NAME, value: text(table) }]],
		[NFT_MSG_NEWCHAIN, NLM_F_CREATE, attributes],
	]);
}

/** Takes the drop off again; does nothing when there is none. Older kernels removed it with the device, Linux 6.18 keeps it for the next of that name. */
export function removeIngressDrop(namespace: Namespace, device: string): void {
	try {
		commit(namespace, { operation: 'remove ingress drop', subject: device }, [[NFT_MSG_DELCHAIN, 0, chainName(device)]]);
	} catch (error) {
		if (!isCoded(error, 'LINUX_ENOENT')) throw error;
	}
}

type Change = readonly [type: number, flags: number, attributes: readonly Attribute[]];

/** One nftables transaction. */
function commit(namespace: Namespace, about: { readonly operation: string; readonly subject: string }, changes: readonly Change[]): void {
	using socket = NetlinkSocket.open(NETLINK_NETFILTER, namespace);
	socket.request(
		{ type: NFNL_MSG_BATCH_BEGIN, payload: nfgenmsg(0, NFNL_SUBSYS_NFTABLES), ...about },
		...changes.map(
			([type, flags, attributes]): Request => ({
				type: (NFNL_SUBSYS_NFTABLES << 8) | type,
				flags: NLM_F_ACK | flags,
				payload: concat(nfgenmsg(NFPROTO_NETDEV, 0), encodeAttributes(attributes)),
				...about,
			}),
		),
		{ type: NFNL_MSG_BATCH_END, payload: nfgenmsg(0, NFNL_SUBSYS_NFTABLES), ...about },
	);
}

const chainName = (device: string): readonly Attribute[] => [
	{ type: NFTA_CHAIN_TABLE, value: text(table) },
	{ type: NFTA_CHAIN_NAME, value: text(device) },
];

/** struct nfgenmsg: family, version 0, resource id in network order. */
function nfgenmsg(family: number, resource: number): Uint8Array {
	return Uint8Array.of(family, 0, resource >> 8, resource & 0xff);
}
