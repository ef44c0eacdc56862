import { CodedError, messageOf } from '@tapestry/base';
import type { KubeClient } from '@tapestry/kube';
import { annotations, type IpLease, ipResource } from '@tapestry/network';
import type { Workload } from '../access/workload.ts';
import { findWorkload } from '../access/workloads.ts';
import type { LabLayout } from '../layout.ts';
import type { ProcessDeps } from '../process.ts';
import { labClient } from '../up/kinds.ts';
import { readSpec } from '../up/up.ts';
import { agentPorts, nicOfNode, portFaults } from './agent-word.ts';
import type { ShowContext } from './context.ts';
import { pathFaults } from './faults.ts';
import type { Hop, PortPath } from './hop.ts';
import { logicalPortHop, subnetHop, vpcHop } from './network-hops.ts';
import { mirrorsOf, pluggedInterface, switchHop } from './switch-hop.ts';
import { guestHop, launcherHop, nicHop, podHop, tapHop, vethHop, virtioHop } from './workload-hops.ts';

/** A guest that is busy, or runs another command, answers late; everything else is at once. */
const patienceMs = 10_000;

/**
 * Follows a pod's or a virtual machine's port from the workload to its VPC, by what the kernel, Open vSwitch, OVN and the Kubernetes API say of it. A hop
 * that cannot be read is in the path nevertheless, with the reason.
 * @throws LAB_NOT_UP, WORKLOAD_NAME, WORKLOAD_NOT_FOUND, WORKLOAD_NOT_RUNNING, SHOW_LEASE
 */
export async function portPath(deps: ProcessDeps, layout: LabLayout, workload: Workload, signal: AbortSignal): Promise<PortPath> {
	const { kind, name, namespace } = workload;
	if (kind === 'node') throw new CodedError('WORKLOAD_NAME', { what: 'a node’s port has no workload', fix: 'name pod/NAME or vm/NAME' });
	if (!readSpec(layout)) throw new CodedError('LAB_NOT_UP', { what: `lab ${layout.id} is not up`, fix: 'bring it up: npm run lab -- up' });
	using client = labClient(layout);
	const [found, lease] = await Promise.all([findWorkload(client, workload), findLease(client, workload)]);
	const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
	const plugged = pluggedInterface(layout, found.node, lease.metadata.name, patience);
	// Every hop that needs it reports the rejection.
	plugged.catch(() => {});
	const ports = agentPorts(layout, found, patience);
	ports.catch(() => {});
	const context: ShowContext = {
		...{ deps, layout, client, workload: found, lease, signal: patience },
		plugged: () => plugged,
		agentPorts: () => ports,
	};
	const said = await ports.then(
		(all) => all.find(({ port }) => port.name === lease.metadata.name),
		() => undefined,
	);
	const nic = nicOfNode(said, integrationBridge);
	const own: Hops = kind === 'vm' ? machineHops(said?.mode) : { pod: podHop, veth: vethHop };
	const way: Hops = nic === undefined ? { ...own, 'br-int port': atSwitch } : pastSwitch(nic);
	const all = { ...way, 'logical port': logicalPortHop, subnet: subnetHop, VPC: vpcHop };
	const [hops, agentSays] = await Promise.all([
		Promise.all(Object.entries(all).map(([hopKind, read]) => readable(hopKind, () => read(context)))),
		ports
			.then((all) => portFaults(all, lease.metadata.name))
			.catch((error: unknown) => [`the agent of ${found.node} does not answer: ${messageOf(error)}`]),
	]);
	signal.throwIfAborted();
	return { workload: `${kind}/${name}`, namespace, node: found.node, hops, faults: [...pathFaults(hops), ...agentSays] };
}

type Hops = Readonly<Record<string, (context: ShowContext) => Promise<Hop>>>;

const integrationBridge = 'br-int';

/** A machine whose device is on a NIC of the node. */
function pastSwitch(nic: string): Hops {
	return {
		guest: guestHop,
		launcher: (context) => launcherHop(context, { outside: 1 }),
		'NIC of the node': (context) => nicHop(context, nic),
	};
}

/** With a tap that is a port of the switch all can be read; what other modes have in the launcher's namespace the agent names. */
function machineHops(mode: string | undefined): Hops {
	if (mode === undefined || mode === 'lift' || mode === 'tap') return { guest: guestHop, virtio: virtioHop, tap: tapHop };
	return { guest: guestHop, launcher: launcherHop, ...(mode === 'vhost-user' ? {} : { veth: vethHop }) };
}

async function atSwitch({ layout, workload, plugged, signal }: ShowContext): Promise<Hop> {
	const row = await plugged();
	return switchHop(row, await mirrorsOf(layout, workload.node, row, signal));
}

async function readable(kind: string, read: () => Promise<Hop>): Promise<Hop> {
	try {
		return await read();
	} catch (error) {
		return { kind, name: '', facts: {}, trouble: messageOf(error) };
	}
}

/** A virtual machine's lease belongs to it, or, where it was made alone, to its instance. */
async function findLease(client: KubeClient, { kind, name, namespace }: Workload): Promise<IpLease> {
	const kinds = kind === 'vm' ? ['VirtualMachine', 'VirtualMachineInstance'] : ['Pod'];
	const owners = kinds.map((owner) => `${owner}/${namespace}/${name}`);
	const { items } = await client.list<IpLease>(ipResource);
	const lease = items.find(({ metadata }) => owners.includes(metadata.annotations?.[annotations.owner] ?? ''));
	if (lease) return lease;
	throw new CodedError('SHOW_LEASE', {
		what: `${kind}/${name} in namespace ${namespace} has no lease`,
		fix: `see \`kubectl -n ${namespace} describe ${kind} ${name}\` and \`kubectl get ips\``,
	});
}
