import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startCentral } from '../daemons/central.ts';
import { type LabLayout, podMtu, serviceCidr, underlay } from '../layout.ts';
import type { LabNode } from '../nodes/node.ts';
import { createUnderlay, outsideNetns } from '../nodes/underlay.ts';
import type { ProcessDeps } from '../process.ts';
import { startProgram } from '../programs.ts';
import { formatRoute, type Route } from '../proxy/route.ts';

const apiSocket = (layout: LabLayout): string => join(layout.api, 'api.sock');

export async function startApiServer(deps: ProcessDeps, layout: LabLayout, signal: AbortSignal): Promise<void> {
	const [address] = underlay.outsideAddresses;
	await startProgram(deps, layout, {
		name: 'apiserver',
		main: 'apiserver/src/main.ts',
		signal,
		args: [
			`--data=${layout.api}`,
			'--listen=127.0.0.1:0',
			`--unix=${apiSocket(layout)}`,
			`--kubeconfig-out=${layout.kubeconfig}`,
			`--advertise=${address}:${underlay.apiPort}`,
			`--service-cidr=${serviceCidr}`,
			...underlay.outsideAddresses.map((san) => `--san=${san}`),
			`--exec-hint=this lab's pods are reached by: npm run lab -- exec --name ${layout.id} -n NAMESPACE pod/NAME -- COMMAND; logs by: npm run lab -- logs --name ${layout.id}`,
		],
	});
}

/** Databases, API server, underlay, and each node's own way to the API and the Southbound database. */
export async function startControlPlane(
	deps: ProcessDeps,
	layout: LabLayout,
	nodes: readonly LabNode[],
	signal: AbortSignal,
): Promise<void> {
	await Promise.all([
		startCentral(deps, { dir: layout.central, signal }),
		startApiServer(deps, layout, signal),
		createUnderlay(deps, layout).then(() => startProxy(deps, layout, nodes, signal)),
	]);
}

async function startProxy(deps: ProcessDeps, layout: LabLayout, nodes: readonly LabNode[], signal: AbortSignal): Promise<void> {
	const routes: Route[] = nodes.flatMap(({ name }) => {
		const node = layout.node(name);
		mkdirSync(node.dir, { recursive: true });
		return [
			{ listen: { kind: 'unix', path: node.apiSocket }, target: apiSocket(layout) },
			{ listen: { kind: 'unix', path: node.sbSocket }, target: join(layout.central, 'sb.sock') },
		];
	});
	const netns = `/run/netns/${outsideNetns(layout)}`;
	for (const address of underlay.outsideAddresses) {
		routes.push({ listen: { kind: 'netns', netns, address, port: underlay.apiPort }, target: apiSocket(layout) });
	}
	await startProgram(deps, layout, {
		name: 'proxy',
		main: 'lab/src/proxy/main.ts',
		args: routes.map((route) => `--route=${formatRoute(route)}`),
		signal,
	});
}

/** Tapestry's controller, and the parts of a cluster that the lab brings itself. */
export async function startControllers(deps: ProcessDeps, layout: LabLayout, signal: AbortSignal): Promise<void> {
	const kubeconfig = `--kubeconfig=${layout.kubeconfig}`;
	const labProgram = (name: string) => startProgram(deps, layout, { name, main: `lab/src/${name}/main.ts`, args: [kubeconfig], signal });
	await Promise.all([
		startController(deps, layout, 'controller', signal),
		...['scheduler', 'controller-manager', 'node-lifecycle', 'virt-controller'].map(labProgram),
	]);
}

/** @param id names the log and the identity in the leader election: a second controller may run beside the first. */
export function startController(deps: ProcessDeps, layout: LabLayout, id: string, signal?: AbortSignal): Promise<number> {
	return startProgram(deps, layout, {
		name: id,
		main: 'controller/src/main.ts',
		args: [
			`--kubeconfig=${layout.kubeconfig}`,
			`--nb=unix:${join(layout.central, 'nb.sock')}`,
			`--id=${id}`,
			`--service-cidr=${serviceCidr}`,
			`--mtu=${podMtu}`,
			'--webhook=127.0.0.1:0',
		],
		...(signal ? { signal } : {}),
	});
}
