import { CodedError, type Family, type Ip, silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import type { KubeClient } from '@tapestry/kube';
import {
	type Answer,
	explain,
	type LogicalNetwork,
	type Observed,
	type Protocol,
	type ReachQuestion,
	type Target,
} from '@tapestry/network';
import { connect } from '@tapestry/ovsdb';
import { readNetwork } from './northbound.ts';
import { observeMtus, observeNodes } from './observe.ts';
import { findSender, findTarget, type SubjectName } from './subject.ts';

export interface WhyRequest {
	readonly from: SubjectName;
	readonly to: SubjectName;
	/** A ping when absent, or a Service's own first port. */
	readonly protocol: Protocol | undefined;
	readonly port: number | undefined;
	/** Both that the target has, when absent. */
	readonly family: Family | undefined;
	readonly size: number | undefined;
	/** What the sender puts in place of its own address, as for a Vip. */
	readonly source?: Ip | undefined;
	/** What fits between the nodes, where that is known. */
	readonly betweenNodes: number | undefined;
}

export interface WhySources {
	readonly client: KubeClient;
	/** Endpoint of the Northbound database. */
	readonly northbound: string;
}

/** One answer for each family that is asked about. @throws WHY_NOT_FOUND, WHY_SUBJECT, WHY_HEADLESS */
export async function askWhy({ client, northbound }: WhySources, request: WhyRequest, signal: AbortSignal): Promise<readonly Answer[]> {
	await using session = connect({ clock: systemClock, random: Math.random, log: silentLogger }, { endpoint: northbound });
	const seeingNodes = observeNodes(client, signal);
	const [sender, target, nodes, mtus] = await Promise.all([
		findSender(client, request.from, signal),
		request.to.kind === 'node'
			? seeingNodes.then((seen) => findTarget(client, request.to, seen, signal))
			: findTarget(client, request.to, new Map(), signal),
		seeingNodes,
		observeMtus(client, signal),
	]);
	const waiting = new Map([...sender.waiting, ...target.waiting]);
	const pastSwitch = new Set([...sender.pastSwitch, ...target.pastSwitch]);
	const observed: Observed = { nodes, waiting, pastSwitch, mtus, betweenNodes: request.betweenNodes };
	const protocol = request.protocol ?? target.service?.protocol ?? 'icmp';
	const port = request.port ?? target.service?.port;
	const { source } = request;
	const about = {
		from: source ? { ...sender.from, address: source } : sender.from,
		protocol,
		...(port === undefined ? {} : { targetPort: port }),
		...(request.size === undefined ? {} : { size: request.size }),
	};
	const asked = request.family ?? source?.family;
	const targets = target.targets.filter((to) => to.kind === 'workload' || asked === undefined || to.address.family === asked);
	if (targets.length === 0) {
		throw new CodedError('WHY_FAMILY', { what: `the target has no address of IPv${asked}`, fix: 'ask about the other family' });
	}
	const names = [...nodes.keys()];
	const answers = await Promise.all(
		targets.map(async (to) => {
			const network = await readNetwork(session, { from: sender.from, to }, names, signal);
			const families = asked === undefined ? familiesOf(network, sender.from.port, to) : [asked];
			return families.map((family): Answer => explain(network, { ...about, to, family } satisfies ReachQuestion, observed));
		}),
	);
	return answers.flat();
}

/** Those that both have; when they have none in common, the answer says so of one. */
function familiesOf(network: LogicalNetwork, from: string, to: Target): readonly Family[] {
	if (to.kind !== 'workload') return [to.address.family];
	const has = (name: string, family: Family) =>
		network.port(name)?.addresses.some(({ ips }) => ips.some((ip) => ip.family === family)) === true;
	const common = ([4, 6] as const).filter((family) => has(from, family) && has(to.port, family));
	return common.length > 0 ? common : [4];
}
