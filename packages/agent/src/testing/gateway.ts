import type { Wire } from '@tapestry/linux/testing';
import { within } from '../../../base/src/testing/until.ts';
import { arpReplyFrom, arpRequest, type End } from './frames.ts';
import { gateways } from './logical-network.ts';

/** A workload asks once for its gateway's hardware address. Resolves with it when OVN, or who stands before it, has answered. */
export async function askGateway(wire: Wire, self: End, gateway: string = gateways.v4): Promise<string | undefined> {
	const answer = wire.receive((frame) => arpReplyFrom(frame, gateway) !== undefined);
	wire.send(arpRequest(self, gateway));
	return arpReplyFrom(await within(`an ARP reply of ${gateway} to ${self.ip}`, answer), gateway);
}

/** It asks again and again, as guests do: the switch may be about to forward. */
export async function reachGateway(wire: Wire, self: End): Promise<void> {
	const again = setInterval(() => wire.send(arpRequest(self, gateways.v4)), 50);
	await askGateway(wire, self).finally(() => clearInterval(again));
}
