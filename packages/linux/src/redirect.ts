import { isCoded } from '@tapestry/base';
import { getLink, type LinkId } from './link.ts';
import { concat, decodeAttributes, encodeAttributes, text, textOf, u32Of } from './netlink/attributes.ts';
import { NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL } from './netlink/message.ts';
import type { NetlinkSocket } from './netlink/socket.ts';

// linux/rtnetlink.h, linux/pkt_sched.h, linux/pkt_cls.h, linux/tc_act/tc_mirred.h
const RTM_NEWQDISC = 36;
const RTM_NEWTFILTER = 44;
const RTM_GETTFILTER = 46;
const TC_H_INGRESS = 0xfffffff1;
/** `ffff:`, the handle of every ingress qdisc. */
const ingressHandle = 0xffff0000;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_U32_SEL = 5;
const TCA_U32_ACT = 7;
const TC_U32_TERMINAL = 1;
const TCA_ACT_KIND = 1;
const TCA_ACT_OPTIONS = 2;
const TCA_MIRRED_PARMS = 2;
const TC_ACT_STOLEN = 4;
const TCA_EGRESS_REDIR = 1;
const TCA_INGRESS_REDIR = 3;
const priority = 1;
/** Where `ifindex` stands in struct tc_mirred, behind struct tc_gen and the kind of mirroring. */
const mirredTarget = 24;

/**
 * All that one device receives leaves by another of the same namespace (Kata's tcfilter), or is received by it with `as: 'received'`, before the stack
 * sees it (tc-u32(8), tc-mirred(8)). A u32 filter without a condition, as kernels may lack the matchall classifier. Throws LINUX_EEXIST when the device has
 * an ingress qdisc, LINUX_ENOENT when the kernel has no such classifier or action.
 */
export function redirectIngress(socket: NetlinkSocket, from: LinkId, to: LinkId, as: 'sent' | 'received' = 'sent'): void {
	const about = { operation: 'redirect ingress', subject: `${from} to ${to}` };
	const [source, target] = [getLink(socket, from).index, getLink(socket, to).index];
	const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	const qdisc = encodeAttributes([{ type: TCA_KIND, value: text('ingress') }]);
	socket.request({ type: RTM_NEWQDISC, flags, payload: concat(tcmsg(source, ingressHandle, TC_H_INGRESS, 0), qdisc), ...about });
	const action = [
		{ type: TCA_ACT_KIND, value: text('mirred') },
		{
			type: TCA_ACT_OPTIONS,
			value: [{ type: TCA_MIRRED_PARMS, value: mirred(target, as === 'sent' ? TCA_EGRESS_REDIR : TCA_INGRESS_REDIR) }],
		},
	];
	const filter = encodeAttributes([
		{ type: TCA_KIND, value: text('u32') },
		{
			type: TCA_OPTIONS,
			value: [
				{ type: TCA_U32_SEL, value: everything() },
				{ type: TCA_U32_ACT, value: [{ type: priority, value: action }] },
			],
		},
	]);
	socket.request({
		type: RTM_NEWTFILTER,
		flags,
		payload: concat(tcmsg(source, 0, ingressHandle, protocolAndPriority()), filter),
		...about,
	});
}

/** Index of the device to which all that arrives at `from` is redirected; undefined when nothing is, or `from` is not there. */
export function findRedirection(socket: NetlinkSocket, from: LinkId): number | undefined {
	try {
		const { index } = getLink(socket, from);
		const filters = socket.dump({ type: RTM_GETTFILTER, payload: tcmsg(index, 0, ingressHandle, 0), operation: 'list filters' });
		return filters.map(({ payload }) => targetOf(payload)).find((target) => target !== undefined);
	} catch (error) {
		if (isCoded(error, 'LINUX_ENODEV')) return undefined;
		throw error;
	}
}

function targetOf(payload: Uint8Array): number | undefined {
	const within = (bytes: Uint8Array | undefined, type: number) => decodeAttributes(bytes ?? empty).get(type);
	const action = within(within(within(payload.subarray(tcmsgLength), TCA_OPTIONS), TCA_U32_ACT), priority);
	if (textOf(within(action, TCA_ACT_KIND) ?? empty) !== 'mirred') return undefined;
	const parameters = within(within(action, TCA_ACT_OPTIONS), TCA_MIRRED_PARMS);
	return parameters && u32Of(parameters.subarray(mirredTarget, mirredTarget + 4));
}

const empty = new Uint8Array(0);
const tcmsgLength = 20;

/** struct tcmsg. */
function tcmsg(index: number, handle: number, parent: number, info: number): Uint8Array {
	const view = new DataView(new ArrayBuffer(tcmsgLength));
	view.setInt32(4, index, true);
	for (const [at, value] of [handle, parent, info].entries()) view.setUint32(8 + 4 * at, value, true);
	return new Uint8Array(view.buffer);
}

/** ETH_P_ALL (3) in network order in the lower half. */
const protocolAndPriority = (): number => (priority << 16) | 0x0300;

/** struct tc_u32_sel with one struct tc_u32_key whose mask is zero: it matches every packet. */
function everything(): Uint8Array {
	const bytes = new Uint8Array(32);
	bytes[0] = TC_U32_TERMINAL;
	bytes[2] = 1;
	return bytes;
}

/** struct tc_mirred. */
function mirred(target: number, kind: number): Uint8Array {
	const view = new DataView(new ArrayBuffer(28));
	view.setUint32(8, TC_ACT_STOLEN, true);
	view.setUint32(20, kind, true);
	view.setUint32(mirredTarget, target, true);
	return new Uint8Array(view.buffer);
}
