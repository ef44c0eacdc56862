import { join } from 'node:path';
import { CodedError } from '@tapestry/base';
import {
	type DatabaseMeta,
	type NbDHCPOptions,
	type NbLogicalSwitchPort,
	type NbQoS,
	nbSchema,
	type SbChassis,
	type SbPortBinding,
	type Subnet,
	sbSchema,
	subnetResource,
	type Uuid,
	type Vpc,
	vpcOf,
	vpcResource,
	whereUuid,
} from '@tapestry/network';
import { type LabLayout, podMtu } from '../layout.ts';
import type { ShowContext } from './context.ts';
import { selectRows } from './databases.ts';
import type { Hop } from './hop.ts';

/** The port in the Northbound database, and where the Southbound database has it bound. */
export async function logicalPortHop({ layout, lease, signal }: ShowContext): Promise<Hop> {
	const { name } = lease.metadata;
	const [nb, sb] = [central(layout, 'nb', nbSchema), central(layout, 'sb', sbSchema)];
	const [port] = await selectRows<NbLogicalSwitchPort>({ ...nb, table: 'Logical_Switch_Port', where: [['name', '==', name]] }, signal);
	if (!port) throw new CodedError('SHOW_LOGICAL_PORT', `the Northbound database has no Logical_Switch_Port ${name}`);
	const optionsOf = async (uuid: Uuid | undefined) => {
		if (uuid === undefined) return undefined;
		const [row] = await selectRows<NbDHCPOptions>({ ...nb, table: 'DHCP_Options', where: whereUuid(uuid) }, signal);
		return row?.options;
	};
	const chassisOf = async () => {
		const where = [['logical_port', '==', name]] as const;
		const [binding] = await selectRows<SbPortBinding>({ ...sb, table: 'Port_Binding', where }, signal);
		if (binding?.chassis === undefined) return 'no chassis';
		const [chassis] = await selectRows<SbChassis>({ ...sb, table: 'Chassis', where: whereUuid(binding.chassis) }, signal);
		return chassis?.name ?? binding.chassis;
	};
	const limitOf = async (side: string) => {
		const where = [['match', '==', `${side} == ${JSON.stringify(name)}`]] as const;
		const [row] = await selectRows<NbQoS>({ ...nb, table: 'QoS', where }, signal);
		const { rate, burst } = row?.bandwidth ?? {};
		return rate === undefined ? undefined : `${rate / 1000} Mbit/s, ${(burst ?? 0) / 1000} Mbit at once`;
	};
	const [boundTo, dhcpv4, dhcpv6] = await Promise.all([chassisOf(), optionsOf(port.dhcpv4_options), optionsOf(port.dhcpv6_options)]);
	const [receives, sends] = await Promise.all([limitOf('outport'), limitOf('inport')]);
	return {
		kind: 'logical port',
		name,
		facts: {
			addresses: port.addresses,
			portSecurity: port.port_security,
			up: port.up ?? false,
			requestedChassis: port.options['requested-chassis'],
			boundTo,
			dhcpv4,
			dhcpv6,
			receivesAtMost: receives,
			sendsAtMost: sends,
		},
	};
}

export async function subnetHop(context: ShowContext): Promise<Hop> {
	const { metadata, spec } = await subnetOf(context);
	const { cidrBlock, gateway, gatewayType, natOutgoing, mtu = podMtu } = spec;
	return { kind: 'subnet', name: metadata.name, facts: { cidr: cidrBlock, gateway, gatewayType, natOutgoing, mtu } };
}

export async function vpcHop(context: ShowContext): Promise<Hop> {
	const name = vpcOf(await subnetOf(context));
	if (name === undefined) throw new CodedError('SHOW_VPC', 'OVN does not carry the subnet');
	const { status } = await context.client.get<Vpc>(vpcResource, { name }, { signal: context.signal });
	return { kind: 'VPC', name, facts: { router: status?.router, subnets: status?.subnets } };
}

function subnetOf({ client, lease, signal }: ShowContext): Promise<Subnet> {
	return client.get<Subnet>(subnetResource, { name: lease.spec.subnet ?? '' }, { signal });
}

function central(layout: LabLayout, name: 'nb' | 'sb', schema: DatabaseMeta) {
	return { socket: join(layout.central, `${name}.sock`), schema };
}
