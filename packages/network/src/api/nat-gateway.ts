import { conditions, strings } from './common.ts';
import { column, type KindDefinition } from './crd.ts';
import { type ApiObject, kubeOvnResource } from './object.ts';
import { arrayOf, boolean, integer, mapOf, object, openObject, string, type TypeOf } from './schema.ts';

export const vpcNatGatewayResource = kubeOvnResource('vpc-nat-gateways', 'VpcNatGateway');

// Passed through to pods as they are; their shape is that of core/v1.
const placement = {
	tolerations: arrayOf(openObject('A toleration of core/v1.', {}), "Tolerations of the gateway's pods."),
	affinity: openObject("Affinity of the gateway's pods, as in core/v1.", {}),
};
const route = object('One route.', { cidr: string('Block.'), nextHopIP: string('Next hop.') });
const asn = (description: string) => integer(description, { minimum: 0, maximum: 4294967295 });

export const vpcNatGatewaySpec = object('Pods that translate addresses between a VPC and the outside.', {
	namespace: string("Namespace of the gateway's pods."),
	vpc: string('VPC. Cannot change.'),
	subnet: string('Subnet of the inner interface. Cannot change.'),
	externalSubnets: strings('Subnets of the outer interfaces.'),
	lanIp: string('Address of the inner interface.'),
	replicas: integer('Pods; more than one only with `bfd`.', { format: 'int32', minimum: 1 }),
	selector: strings('Labels `key: value` of the nodes to run on.'),
	...placement,
	qosPolicy: string('QoSPolicy of the gateway.'),
	internalSubnets: strings('Subnets of the VPC that leave through the gateway.'),
	internalCIDRs: strings('Blocks of the VPC that leave through the gateway.'),
	routes: arrayOf(route, "Routes of the gateway's pods."),
	noDefaultEIP: boolean('Whether the gateway gets no address of its own.'),
	annotations: mapOf(string('Value.'), "Annotations of the gateway's pods."),
	bfd: object('Detection of dead pods.', {
		enabled: boolean('Whether it is on.', { default: false }),
		minRX: integer('Milliseconds between packets received.', { minimum: 1, maximum: 3600000 }),
		minTX: integer('Milliseconds between packets sent.', { minimum: 1, maximum: 3600000 }),
		multiplier: integer('Packets that may be lost.', { minimum: 1, maximum: 3600000 }),
	}),
	bgpSpeaker: object("Announcement of the gateway's addresses.", {
		enabled: boolean('Whether it is on.', { default: false }),
		asn: asn('Own autonomous system.'),
		remoteAsn: asn("Neighbours' autonomous system."),
		neighbors: strings('Addresses of the neighbours.'),
		holdTime: string('Time after which a silent neighbour is gone, such as `90s`.'),
		routerId: string('Router identifier.'),
		password: string('TCP MD5 password.'),
		enableGracefulRestart: boolean('Whether routes outlive a restart.'),
		extraArgs: strings('Further arguments.'),
	}),
});
export type VpcNatGatewaySpec = TypeOf<typeof vpcNatGatewaySpec>;

export const vpcNatGatewayStatus = object('What the controller found and made.', {
	conditions,
	externalSubnets: strings('Subnets of the outer interfaces.'),
	selector: strings('Labels of the nodes it runs on.'),
	...placement,
	qosPolicy: string('QoSPolicy in force.'),
});
export type VpcNatGatewayStatus = TypeOf<typeof vpcNatGatewayStatus>;
export type VpcNatGateway = ApiObject<VpcNatGatewaySpec, VpcNatGatewayStatus>;

export const vpcNatGatewayKind: KindDefinition<VpcNatGatewaySpec, VpcNatGatewayStatus> = {
	resource: vpcNatGatewayResource,
	singular: 'vpc-nat-gateway',
	shortNames: ['vpc-nat-gw'],
	description: 'A gateway of pods between a VPC and the outside.',
	spec: vpcNatGatewaySpec,
	status: vpcNatGatewayStatus,
	statusSubresource: true,
	columns: [column('Vpc', '.spec.vpc'), column('Subnet', '.spec.subnet'), column('LanIP', '.spec.lanIp')],
};
