import { conditions, strings } from './common.ts';
import { ageColumn, column, type KindDefinition, type PrinterColumn } from './crd.ts';
import { annotations, labels } from './names.ts';
import type { ApiObject, ObjectMeta, Resource } from './object.ts';
import { arrayOf, boolean, integer, intOrString, mapOf, oneOf, openObject, string, type TypeOf } from './schema.ts';

/** The parts of KubeVirt's API that the network and the lab read; all other fields are kept as they are. */
const kubevirt = (plural: string, kind: string): Resource => ({ group: 'kubevirt.io', version: 'v1', plural, kind, namespaced: true });

export const virtualMachineResource = kubevirt('virtualmachines', 'VirtualMachine');
export const virtualMachineInstanceResource = kubevirt('virtualmachineinstances', 'VirtualMachineInstance');
export const virtualMachineInstanceMigrationResource = kubevirt('virtualmachineinstancemigrations', 'VirtualMachineInstanceMigration');

const binding = (description: string) => openObject(description, {});

const networkInterface = openObject(
	'One NIC of the guest. At most one binding is set.',
	{
		name: string('Network of the same name in `networks`.'),
		macAddress: string('MAC address of the guest.'),
		model: string('Model, such as `virtio` or `e1000e`.'),
		bridge: binding('Through a bridge in the pod.'),
		masquerade: binding('Behind NAT in the pod.'),
		sriov: binding('A virtual function.'),
		macvtap: binding('A macvtap interface.'),
		passt: binding('Through passt.'),
		slirp: binding("Through the VMM's own stack."),
		binding: openObject('Through a binding plugin.', { name: string('Name under which the plugin is registered.') }, ['name']),
		ports: arrayOf(
			openObject('One port.', { name: string('Name.'), port: integer('Number.'), protocol: string('`TCP` or `UDP`.') }),
			'Ports to forward, with masquerade.',
		),
		state: string('`up`, `down` or `absent`.'),
	},
	['name'],
);

const network = openObject(
	'One network. Exactly one source is set.',
	{
		name: string('Name that an interface refers to.'),
		pod: openObject("The pod's network.", {}),
		multus: openObject('A secondary network.', { networkName: string('`[namespace/]name` of the NetworkAttachmentDefinition.') }, [
			'networkName',
		]),
	},
	['name'],
);

const resources = openObject('Resources.', {
	requests: mapOf(intOrString('Quantity.'), 'What is set aside.'),
	limits: mapOf(intOrString('Quantity.'), 'What may be used.'),
});

const domain = openObject('The machine.', {
	cpu: openObject('Processors.', {
		cores: integer('Cores of a socket.', { minimum: 1 }),
		sockets: integer('Sockets.', { minimum: 1 }),
		threads: integer('Threads of a core.', { minimum: 1 }),
	}),
	memory: openObject('Memory.', { guest: intOrString('What the guest sees, as a quantity.') }),
	resources,
	devices: openObject('Devices.', {
		interfaces: arrayOf(networkInterface, 'NICs, in the order in which the guest sees them.'),
		disks: arrayOf(openObject('One disk.', { name: string('Volume of the same name.') }, ['name']), 'Disks.'),
		networkInterfaceMultiqueue: boolean('Whether NICs get a queue for each processor.'),
	}),
});

const instanceFields = {
	domain,
	networks: arrayOf(network, 'What the interfaces are connected to.'),
	volumes: arrayOf(openObject('One volume.', { name: string('Name.') }, ['name']), 'What the disks hold.'),
	nodeSelector: mapOf(string('Label value.'), 'Labels of the node to run on.'),
	hostname: string('Name of the guest.'),
	terminationGracePeriodSeconds: integer('Seconds that a guest has to shut down.', { format: 'int64', minimum: 0 }),
};

const templateMetadata = openObject('Labels and annotations of the instance and its pod.', {
	labels: mapOf(string('Value.'), 'Labels.'),
	annotations: mapOf(string('Value.'), 'Annotations.'),
});

export const virtualMachineInstanceSpec = openObject('A running machine.', instanceFields, ['domain']);
export type VirtualMachineInstanceSpec = TypeOf<typeof virtualMachineInstanceSpec>;
export type MachineInterface = TypeOf<typeof networkInterface>;

export const virtualMachineSpec = openObject(
	'A machine and whether it runs.',
	{
		running: boolean('Whether it runs; the older form of `runStrategy`.'),
		runStrategy: oneOf(['Always', 'RerunOnFailure', 'Manual', 'Halted', 'Once', 'WaitAsReceiver'], 'When it runs.'),
		template: openObject(
			'What an instance is made from.',
			{ metadata: templateMetadata, spec: openObject('The instance.', instanceFields) },
			[],
		),
	},
	['template'],
);
export type VirtualMachineSpec = TypeOf<typeof virtualMachineSpec>;

export const virtualMachineStatus = openObject('What virt-controller found.', {
	conditions,
	created: boolean('Whether there is an instance.'),
	ready: boolean('Whether the instance runs and is ready.'),
	printableStatus: string('One word for people, such as `Running`.'),
	observedGeneration: integer('The metadata.generation that was looked at.', { format: 'int64' }),
});
export type VirtualMachineStatus = TypeOf<typeof virtualMachineStatus>;
export type VirtualMachine = ApiObject<VirtualMachineSpec, VirtualMachineStatus>;

const migrationState = openObject('The last migration.', {
	migrationUid: string('UID of the VirtualMachineInstanceMigration.'),
	sourceNode: string('Node it leaves.'),
	targetNode: string('Node it goes to.'),
	sourcePod: string('Pod it leaves.'),
	targetPod: string('Pod it goes to.'),
	startTimestamp: string('When it began.'),
	endTimestamp: string('When it ended.'),
	completed: boolean('Whether it ended.'),
	failed: boolean('Whether it ended without the machine moving.'),
	failureReason: string('Why.'),
});

export const virtualMachineInstanceStatus = openObject('What virt-controller and the launcher found.', {
	conditions,
	phase: oneOf(['', 'Pending', 'Scheduling', 'Scheduled', 'Running', 'Succeeded', 'Failed', 'WaitingForSync', 'Unknown'], 'Stage of life.'),
	nodeName: string('Node it runs on.'),
	reason: string('Why it is in this phase.'),
	activePods: mapOf(string('Node.'), "Node of each of its pods, by the pod's UID."),
	interfaces: arrayOf(
		openObject('One NIC.', {
			name: string('Name of the interface.'),
			mac: string('MAC address.'),
			ipAddress: string('First address.'),
			ipAddresses: strings('All addresses.'),
			infoSource: string('Who knows.'),
			interfaceName: string('Name in the guest.'),
			podInterfaceName: string('Name in the pod.'),
			queueCount: integer('Queues.', { format: 'int32' }),
			linkState: string('`up` or `down`.'),
		}),
		'NICs.',
	),
	migrationState,
});
export type VirtualMachineInstanceStatus = TypeOf<typeof virtualMachineInstanceStatus>;
export type VirtualMachineInstance = ApiObject<VirtualMachineInstanceSpec, VirtualMachineInstanceStatus>;

export const virtualMachineInstanceMigrationSpec = openObject('A wish to move a machine.', {
	vmiName: string('VirtualMachineInstance to move.'),
});
export const virtualMachineInstanceMigrationStatus = openObject('How far it is.', {
	conditions,
	phase: string('Stage.'),
	migrationState,
});
export type VirtualMachineInstanceMigration = ApiObject<
	TypeOf<typeof virtualMachineInstanceMigrationSpec>,
	TypeOf<typeof virtualMachineInstanceMigrationStatus>
>;

const conditionColumn = (name: string, type: string): PrinterColumn => column(name, `.status.conditions[?(@.type=='${type}')].status`);
const shared = { statusSubresource: true, otherVersions: ['v1alpha3'], categories: ['all'] };

export const virtualMachineKind: KindDefinition<VirtualMachineSpec, VirtualMachineStatus> = {
	...shared,
	resource: virtualMachineResource,
	singular: 'virtualmachine',
	shortNames: ['vm', 'vms'],
	description: 'A virtual machine, running or not.',
	spec: virtualMachineSpec,
	status: virtualMachineStatus,
	columns: [ageColumn, column('Status', '.status.printableStatus'), conditionColumn('Ready', 'Ready')],
};

export const virtualMachineInstanceKind: KindDefinition<VirtualMachineInstanceSpec, VirtualMachineInstanceStatus> = {
	...shared,
	resource: virtualMachineInstanceResource,
	singular: 'virtualmachineinstance',
	shortNames: ['vmi', 'vmis'],
	description: 'A running virtual machine.',
	spec: virtualMachineInstanceSpec,
	status: virtualMachineInstanceStatus,
	columns: [
		ageColumn,
		column('Phase', '.status.phase'),
		column('IP', '.status.interfaces[0].ipAddress'),
		column('NodeName', '.status.nodeName'),
		conditionColumn('Ready', 'Ready'),
		{ ...conditionColumn('Live-Migratable', 'LiveMigratable'), priority: 1 },
	],
};

export const virtualMachineInstanceMigrationKind: KindDefinition = {
	...shared,
	resource: virtualMachineInstanceMigrationResource,
	singular: 'virtualmachineinstancemigration',
	shortNames: ['vmim', 'vmims'],
	description: 'A live migration of a virtual machine.',
	spec: virtualMachineInstanceMigrationSpec,
	status: virtualMachineInstanceMigrationStatus,
	columns: [column('Phase', '.status.phase'), column('VMI', '.spec.vmiName')],
};

/** A pod that runs a virtual machine. */
export function isLauncher({ metadata }: { readonly metadata: ObjectMeta }): boolean {
	return metadata.labels?.[labels.kubevirt] === 'virt-launcher';
}

/**
 * `namespace/name` of the machine that a launcher pod runs; undefined for other pods. KubeVirt's label holds the guest's host name, which a
 * long name does not fit into; its annotation holds the machine's name.
 */
export function machineOfLauncher(pod: { readonly metadata: ObjectMeta }): string | undefined {
	if (!isLauncher(pod)) return undefined;
	const { metadata } = pod;
	const name = metadata.annotations?.[annotations.kubevirtDomain] ?? metadata.labels?.[labels.kubevirtVmName];
	return name === undefined ? undefined : `${metadata.namespace ?? ''}/${name}`;
}

/** The interface of a machine that is connected to the pod network; the first one when no network says so. */
export function podInterface({ domain, networks }: Partial<VirtualMachineInstanceSpec>): MachineInterface | undefined {
	const interfaces = domain?.devices?.interfaces ?? [];
	const network = networks?.find(({ pod }) => pod !== undefined);
	return interfaces.find(({ name }) => name === network?.name) ?? interfaces[0];
}
