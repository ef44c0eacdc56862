import { createHash } from 'node:crypto';

// KubeVirt's names of interfaces (kubevirt/pkg/network/namescheme) and those that we give.

/** KubeVirt's launcher runs the VMM as this user and group ("qemu"), without capabilities. Taps and files that it opens belong to it. */
export const vmmUser = 107;

/** Interfaces have names of at most 15 characters. */
const hashDigits = 11;

/** In a hook sidecar's environment: the mode that was decided when its launcher was made, for NICs that leave it open. */
export const launcherModeVariable = 'TAPESTRY_ATTACHMENT_MODE';

/** Of a secondary network, in the launcher's namespace. */
export function podInterfaceName(network: string): string {
	return `pod${digits(network, hashDigits)}`;
}

/** The tap of a network, in the launcher's namespace. */
export function tapName(network: string, isPrimary: boolean): string {
	return isPrimary ? 'tap0' : `tap${digits(network, hashDigits)}`;
}

/**
 * The tap of a launcher that is in the node's own namespace. It is the same on every node and no other machine has it: a migration's target runs
 * the XML of the source, whatever its own hooks say.
 */
export function hostTapName(machineUid: string, network: string): string {
	return `vmt${digits(`${machineUid}/${network}`, hashDigits)}`;
}

function digits(text: string, count: number): string {
	return createHash('sha256').update(text).digest('hex').slice(0, count);
}
