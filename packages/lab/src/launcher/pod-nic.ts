import { CodedError } from '@tapestry/base';
import { getLink, openRoute } from '@tapestry/linux';
import type { Nic } from './config.ts';
import type { MachineNic } from './nics.ts';

/** KubeVirt's name of the pod network's tap. */
const tap = 'tap0';

/** The guest's NIC is the pod's: the tap that the agent made, with the address and MTU of the `eth0` that stands for it. */
export function podNic(nic: MachineNic): Nic {
	using socket = openRoute();
	const { mac, mtu } = getLink(socket, 'eth0');
	if (!mac) throw new CodedError('LAUNCHER_NIC', "the pod's eth0 has no hardware address");
	return { ...nic, tap, mac, mtu };
}
