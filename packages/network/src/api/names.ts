/** Annotations and labels that users, other tools, the controller and the agents read and write. Kube-OVN's keep their meaning. */
export const annotations = {
	/** Pod or VM template, by the user: `v4`, `v6` or `v4,v6`. Pod, Node: written back by the controller. */
	ipAddress: 'ovn.kubernetes.io/ip_address',
	/** Pod or VM template, by the user; written back. */
	macAddress: 'ovn.kubernetes.io/mac_address',
	/** Pod or VM template, Namespace: name of an IPPool, or a list of addresses with `,` or `;` between them. */
	ipPool: 'ovn.kubernetes.io/ip_pool',
	/** Pod or VM template, Namespace: name of the subnet; written back. */
	logicalSwitch: 'ovn.kubernetes.io/logical_switch',
	/** Pod or VM template, by the user: `false` lets the port send from any address. */
	portSecurity: 'ovn.kubernetes.io/port_security',
	/** Pod or VM template, by the user: Vips, with `,` between them, whose addresses the port may use beside its own. */
	addressPairs: 'ovn.kubernetes.io/aaps',
	/** `true` once the pod has addresses. */
	allocated: 'ovn.kubernetes.io/allocated',
	/** `true` once the pod's port is in the Northbound database. */
	routed: 'ovn.kubernetes.io/routed',
	/** Service, by the controller: the address of the SwitchLBRule that it stands for. */
	switchLbVip: 'ovn.kubernetes.io/switch_lb_vip',
	/** SwitchLBRule, by the user: the IPv4 address from which OVN asks whether the endpoints are alive; without it nobody asks. */
	healthCheckSource: 'tapestry.io/health-check-source',
	/** The subnet's CIDRs. */
	cidr: 'ovn.kubernetes.io/cidr',
	/** The subnet's gateways. */
	gateway: 'ovn.kubernetes.io/gateway',
	/** Pod, written back: the VPC. Service, by the user: see `vpc`. */
	logicalRouter: 'ovn.kubernetes.io/logical_router',
	/** Service, by the user: the VPC that it serves in. */
	vpc: 'ovn.kubernetes.io/vpc',
	/** Namespace: addresses of its subnet that are not given out. */
	excludeIps: 'ovn.kubernetes.io/exclude_ips',
	/** Node: OVN chassis name. */
	chassis: 'ovn.kubernetes.io/chassis',
	/** Node: name of its logical port. */
	portName: 'ovn.kubernetes.io/port_name',
	/** Pod or VM template, by the user: names of SecurityGroups with `,` between them. */
	securityGroups: 'ovn.kubernetes.io/security_groups',
	/** Pod or VM template, by the user: how much it may receive, in Mbit/s. IP, by the controller: what of these is in force (port-traffic.ts). */
	ingressRate: 'ovn.kubernetes.io/ingress_rate',
	/** The same of what it sends. */
	egressRate: 'ovn.kubernetes.io/egress_rate',
	/** Mbit that may come at once, after a pause. */
	ingressBurst: 'ovn.kubernetes.io/ingress_burst',
	egressBurst: 'ovn.kubernetes.io/egress_burst',
	/** Pod or VM template, by the user: `true` copies its packets to device `mirror0` of its node. IP, by the controller: whether they are copied. */
	mirror: 'ovn.kubernetes.io/mirror',
	/** Pod or VM template, by the user: Kubernetes' own words for the two rates, as quantities in bit/s. */
	ingressBandwidth: 'kubernetes.io/ingress-bandwidth',
	egressBandwidth: 'kubernetes.io/egress-bandwidth',
	/** Pod: the VM it runs. */
	virtualMachine: 'ovn.kubernetes.io/virtualmachine',
	/** IP: `Kind/namespace/name` of what holds the lease. */
	owner: 'tapestry.io/owner',
	/** Virt-launcher pod: name of the VM. */
	kubevirtDomain: 'kubevirt.io/domain',
	/** VM template: how its NIC is connected (attachment-mode.ts). Subnet: the same for machines that leave it open. */
	attachmentMode: 'tapestry.io/attachment-mode',
	/** VM template: the NIC of the node that its macvtap is on (macvtap-parent.ts). Subnet: the same for machines that say nothing. */
	macvtapParent: 'tapestry.io/macvtap-parent',
	/** IP, by the controller: the rules of a port that is not on the switch, for the agent of its node (device-rules). */
	deviceRules: 'tapestry.io/device-rules',
	/** Pod of a Kata runtime: how its machine is connected (kata.ts). */
	kataAttachment: 'tapestry.io/kata-attachment',
	/** Pod: secondary networks (NPWG multi-network). */
	networks: 'k8s.v1.cni.cncf.io/networks',
} as const;

export const labels = {
	/** IP: name of its subnet. Beside it stands a label whose key is the subnet's name, as in Kube-OVN. */
	subnet: 'ovn.kubernetes.io/subnet',
	/** IP: where its owner runs; changes when a VM moves. */
	nodeName: 'ovn.kubernetes.io/node-name',
	/** IP: `true` when a user made the object to keep the address. */
	ipReserved: 'ovn.kubernetes.io/ip_reserved',
	/** IP: UID of what holds the lease. */
	ownerUid: 'tapestry.io/owner-uid',
	/** Pod: `virt-launcher` for the pod that a VM runs in. */
	kubevirt: 'kubevirt.io',
	/** Virt-launcher pod: UID of the VirtualMachineInstance. */
	kubevirtCreatedBy: 'kubevirt.io/created-by',
	/** Virt-launcher pod: name of the VM. */
	kubevirtVmName: 'vm.kubevirt.io/name',
} as const;

/** Finalizer of Subnets and Vpcs: they stay until nobody has an address of theirs. Kube-OVN's, so that either controller finishes what the other began. */
export const finalizer = 'kubeovn.io/kube-ovn-controller';

/** Objects that the controller makes when they are absent. */
export const defaultNames = { vpc: 'ovn-cluster', subnet: 'ovn-default', joinSubnet: 'join', provider: 'ovn' } as const;

/** Where clusters have their DNS: `namespace/name` of the Service, which CoreDNS keeps for its predecessor's users. */
export const clusterDnsService = 'kube-system/kube-dns';

/** Keys of `external_ids` in every Northbound row of ours, and the value of `vendor`. */
export const externalIds = {
	vendor: 'vendor',
	vendorName: 'tapestry',
	owner: 'tapestry-owner',
	key: 'tapestry-key',
	/** ACL: `Kind/namespace/name` of the object that the verdict is from. */
	by: 'tapestry-by',
	/** ACL: where in its YAML, such as `spec.ingress[0].from[1]`. */
	path: 'path',
	/** ACL that lets pass: the rules of other objects that had to agree, one a line, as `Kind/namespace/name path`. */
	also: 'also',
} as const;
