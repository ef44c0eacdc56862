import type { Signal } from '@tapestry/base';
import {
	createReflector,
	type EndpointSlice,
	endpointSlices,
	type KubeDeps,
	type KubeObject,
	type Namespace,
	type Node,
	namespaces,
	nodes,
	type Pod,
	pods,
	type Reflector,
	type Resource,
	type Service,
	services,
} from '@tapestry/kube';
import {
	type AdminNetworkPolicy,
	adminNetworkPolicyResource,
	type BaselineAdminNetworkPolicy,
	baselineAdminNetworkPolicyResource,
	type IpLease,
	type IpPool,
	ipPoolResource,
	ipResource,
	type NetworkPolicy,
	networkPolicyResource,
	type SecurityGroup,
	type Subnet,
	type SwitchLbRule,
	securityGroupResource,
	subnetResource,
	switchLbRuleResource,
	type Vip,
	type VirtualMachine,
	type VirtualMachineInstance,
	type Vpc,
	vipResource,
	virtualMachineInstanceResource,
	virtualMachineResource,
	vpcResource,
} from '@tapestry/network';

/** Live copies of everything that the controller looks at. They are kept while another controller leads, so that taking over is quick. */
export interface Sources extends AsyncDisposable {
	readonly vpcs: Reflector<Vpc>;
	readonly subnets: Reflector<Subnet>;
	readonly ips: Reflector<IpLease>;
	readonly ipPools: Reflector<IpPool>;
	readonly namespaces: Reflector<Namespace>;
	readonly nodes: Reflector<Node>;
	readonly pods: Reflector<Pod>;
	readonly services: Reflector<Service>;
	readonly endpointSlices: Reflector<EndpointSlice>;
	readonly switchLbRules: Reflector<SwitchLbRule>;
	readonly networkPolicies: Reflector<NetworkPolicy>;
	readonly adminPolicies: Reflector<AdminNetworkPolicy>;
	readonly baselinePolicies: Reflector<BaselineAdminNetworkPolicy>;
	readonly securityGroups: Reflector<SecurityGroup>;
	readonly vips: Reflector<Vip>;
	readonly vms: Reflector<VirtualMachine>;
	readonly vmis: Reflector<VirtualMachineInstance>;
	synced(signal: Signal): Promise<void>;
}

export function openSources(deps: KubeDeps): Sources {
	const all: Reflector[] = [];
	const open = <T extends KubeObject>(resource: Resource): Reflector<T> => {
		const reflector = createReflector<T>(deps, { resource });
		all.push(reflector as unknown as Reflector);
		return reflector;
	};
	return {
		vpcs: open<Vpc>(vpcResource),
		subnets: open<Subnet>(subnetResource),
		ips: open<IpLease>(ipResource),
		ipPools: open<IpPool>(ipPoolResource),
		namespaces: open<Namespace>(namespaces),
		nodes: open<Node>(nodes),
		pods: open<Pod>(pods),
		services: open<Service>(services),
		endpointSlices: open<EndpointSlice>(endpointSlices),
		switchLbRules: open<SwitchLbRule>(switchLbRuleResource),
		networkPolicies: open<NetworkPolicy>(networkPolicyResource),
		adminPolicies: open<AdminNetworkPolicy>(adminNetworkPolicyResource),
		baselinePolicies: open<BaselineAdminNetworkPolicy>(baselineAdminNetworkPolicyResource),
		securityGroups: open<SecurityGroup>(securityGroupResource),
		vips: open<Vip>(vipResource),
		vms: open<VirtualMachine>(virtualMachineResource),
		vmis: open<VirtualMachineInstance>(virtualMachineInstanceResource),
		async synced(signal) {
			await Promise.all(all.map((reflector) => reflector.synced(signal)));
		},
		async [Symbol.asyncDispose]() {
			await Promise.all(all.map((reflector) => reflector.close()));
		},
	};
}
