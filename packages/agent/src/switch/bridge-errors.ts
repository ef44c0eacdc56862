import { CodedError, type Signal } from '@tapestry/base';
import type { OvsInterface } from '@tapestry/network';

export const noBridge = (name: string): CodedError =>
	new CodedError('AGENT_OVS_BRIDGE', {
		what: `bridge ${name} is not there`,
		why: 'Open vSwitch on this node is not set up, or its database is not reachable',
		fix: `check that ovs-vswitchd and ovn-controller run and that ovs-vsctl list-br shows ${name}`,
	});

export const unusable = (device: string, error: string): CodedError =>
	new CodedError('AGENT_OVS_PORT', { what: `Open vSwitch cannot use device ${device}`, why: error });

export const stillPlugged = (device: string, signal: Signal | undefined): CodedError =>
	new CodedError(
		'AGENT_OVS_PORT',
		{
			what: `device ${device} cannot be plugged in again`,
			why: 'Open vSwitch has not let go of its predecessor',
			fix: 'check that ovs-vswitchd runs and is not overloaded',
		},
		{ cause: signal?.reason },
	);

export function notInstalled(row: OvsInterface | undefined, signal: Signal): CodedError {
	const ids = row?.external_ids ?? {};
	return new CodedError(
		'AGENT_NOT_INSTALLED',
		{
			what: `the flows of port ${ids['iface-id'] ?? ''} were not installed in time`,
			why: 'ovn-controller did not bind the port: it does not run, or the logical switch port is missing or requested by another chassis',
			fix: `ovn-sbctl find Port_Binding logical_port=${ids['iface-id'] ?? ''}`,
		},
		{ cause: signal.reason },
	);
}
