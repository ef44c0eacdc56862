import { decodeLink, ifinfo, ifinfoLength, RTM_GETLINK, RTM_NEWLINK } from './link-message.ts';
import { decodeAttributes } from './netlink/attributes.ts';
import type { NetlinkSocket } from './netlink/socket.ts';

const IFLA_STATS64 = 23;
/** Offsets in struct rtnl_link_stats64 (linux/if_link.h). */
const offsets = { packets: [0, 8], bytes: [16, 24], dropped: [48, 56] } as const;

/** What passed one way since the device was made. */
export interface Traffic {
	readonly packets: bigint;
	readonly bytes: bigint;
	readonly dropped: bigint;
}

/** As the kernel sees its device: what a workload behind a tap or veth sends is `received` here. */
export interface LinkStatistics {
	readonly received: Traffic;
	readonly sent: Traffic;
}

/** The counters of all devices of a namespace, by name. */
export function linkStatistics(socket: NetlinkSocket): ReadonlyMap<string, LinkStatistics> {
	const answers = socket.dump({ type: RTM_GETLINK, payload: ifinfo(), operation: 'read link statistics' });
	return new Map(
		answers.filter(({ type }) => type === RTM_NEWLINK).map(({ payload }) => [decodeLink(payload).name, decodeStatistics(payload)]),
	);
}

function decodeStatistics(payload: Uint8Array): LinkStatistics {
	const bytes = decodeAttributes(payload.subarray(ifinfoLength)).get(IFLA_STATS64) ?? new Uint8Array(64);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const traffic = (way: 0 | 1): Traffic => ({
		packets: view.getBigUint64(offsets.packets[way], true),
		bytes: view.getBigUint64(offsets.bytes[way], true),
		dropped: view.getBigUint64(offsets.dropped[way], true),
	});
	return { received: traffic(0), sent: traffic(1) };
}
