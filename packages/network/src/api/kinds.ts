import { adminNetworkPolicyKind, baselineAdminNetworkPolicyKind } from './admin-network-policy.ts';
import { type CustomResourceDefinition, customResourceDefinition, type KindDefinition } from './crd.ts';
import { ipKind } from './ip.ts';
import { ipPoolKind } from './ip-pool.ts';
import { iptablesDnatRuleKind, iptablesEipKind, iptablesFipRuleKind, iptablesSnatRuleKind } from './iptables-nat.ts';
import { virtualMachineInstanceKind, virtualMachineInstanceMigrationKind, virtualMachineKind } from './kubevirt.ts';
import { vpcNatGatewayKind } from './nat-gateway.ts';
import { networkAttachmentDefinitionKind } from './net-attach-def.ts';
import { ovnDnatRuleKind, ovnEipKind, ovnFipKind, ovnSnatRuleKind } from './ovn-nat.ts';
import { securityGroupKind } from './security-group.ts';
import { qosPolicyKind, switchLbRuleKind, vpcDnsKind } from './service-kinds.ts';
import { subnetKind } from './subnet.ts';
import { providerNetworkKind, vlanKind } from './underlay.ts';
import { vipKind } from './vip.ts';
import { vpcKind } from './vpc.ts';

/** Every kind that is installed, whether its behaviour is built or not (`behaviour.ts`). */
export const kinds: readonly KindDefinition[] = [
	vpcKind,
	subnetKind,
	ipKind,
	ipPoolKind,
	vipKind,
	vlanKind,
	providerNetworkKind,
	securityGroupKind,
	adminNetworkPolicyKind,
	baselineAdminNetworkPolicyKind,
	switchLbRuleKind,
	vpcDnsKind,
	qosPolicyKind,
	vpcNatGatewayKind,
	iptablesEipKind,
	iptablesFipRuleKind,
	iptablesDnatRuleKind,
	iptablesSnatRuleKind,
	ovnEipKind,
	ovnFipKind,
	ovnSnatRuleKind,
	ovnDnatRuleKind,
	virtualMachineKind,
	virtualMachineInstanceKind,
	virtualMachineInstanceMigrationKind,
	networkAttachmentDefinitionKind,
];

/** The definitions to install, ready for the API. */
export function customResourceDefinitions(): CustomResourceDefinition[] {
	return kinds.map(customResourceDefinition);
}
