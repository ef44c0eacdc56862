import { conditions } from './common.ts';
import { ageColumn, type KindDefinition } from './crd.ts';
import { type ApiObject, kubeOvnResource } from './object.ts';
import { arrayOf, boolean, integer, object, oneOf, string, type TypeOf } from './schema.ts';

export const securityGroupResource = kubeOvnResource('security-groups', 'SecurityGroup');

const port = (description: string) => integer(description, { minimum: 1, maximum: 65535 });

const rule = object('One rule.', {
	ipVersion: oneOf(['ipv4', 'ipv6'], 'Family.'),
	protocol: oneOf(['all', 'icmp', 'tcp', 'udp'], 'Protocol.'),
	priority: integer('Lower goes first.', { minimum: 1, maximum: 16384 }),
	remoteType: oneOf(['address', 'securityGroup'], 'Which of the two remote fields counts.'),
	remoteAddress: string('Address or block of the other side.'),
	remoteSecurityGroup: string('Security group of the other side.'),
	portRangeMin: port('First destination port.'),
	portRangeMax: port('Last destination port.'),
	localAddress: string('Address or block of this side.'),
	sourcePortRangeMin: port('First source port.'),
	sourcePortRangeMax: port('Last source port.'),
	policy: oneOf(['allow', 'drop', 'pass'], 'What happens to packets that match.'),
});

export const securityGroupSpec = object('Rules for the ports that name the group.', {
	ingressRules: arrayOf(rule, 'Rules for what the ports receive.'),
	egressRules: arrayOf(rule, 'Rules for what the ports send.'),
	allowSameGroupTraffic: boolean('Whether members of the group reach each other.'),
	tier: integer('Stage of evaluation.', { minimum: 0, maximum: 1 }),
});
export type SecurityGroupSpec = TypeOf<typeof securityGroupSpec>;

export const securityGroupStatus = object('What the controller found and made.', {
	conditions,
	portGroup: string('Port group in OVN.'),
	allowSameGroupTraffic: boolean('Whether members reach each other now.'),
	ingressMd5: string('Digest of the rules in force.'),
	egressMd5: string('Digest of the rules in force.'),
	ingressLastSyncSuccess: boolean('Whether the rules are in force.'),
	egressLastSyncSuccess: boolean('Whether the rules are in force.'),
});
export type SecurityGroupStatus = TypeOf<typeof securityGroupStatus>;
export type SecurityGroup = ApiObject<SecurityGroupSpec, SecurityGroupStatus>;

export const securityGroupKind: KindDefinition<SecurityGroupSpec, SecurityGroupStatus> = {
	resource: securityGroupResource,
	singular: 'security-group',
	shortNames: ['sg'],
	description: 'A firewall for the ports that name it.',
	spec: securityGroupSpec,
	status: securityGroupStatus,
	statusSubresource: true,
	columns: [ageColumn],
};
