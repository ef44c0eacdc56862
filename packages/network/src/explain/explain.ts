import type { Family, Ip } from '@tapestry/base';
import type { Answer } from './answer.ts';
import { denied, nameOf, noWay, type Setting } from './denial.ts';
import type { LogicalNetwork, SwitchPort } from './logical-network.ts';
import { outcome } from './outcome.ts';
import type { Packet } from './packet.ts';
import { nothingObserved, type Observed, type ReachQuestion } from './question.ts';
import { newJourney, walk } from './walk.ts';

/** A client's port, of those that kernels give. */
const clientPort = 40_000;

/** Whether A reaches B and why, by the rows and by what was observed beside them. Of a Service's endpoints all are looked at. */
export function explain(network: LogicalNetwork, question: ReachQuestion, observed: Observed = nothingObserved): Answer {
	const setting: Setting = { network, question, observed };
	const { from, to, family } = question;
	const port = network.port(from.port);
	const source = from.address ?? addressOf(port, family);
	if (!port || !source) return withoutAddress(setting, from.object, port);
	const asked = to.kind === 'workload' ? network.port(to.port) : undefined;
	const target = to.kind === 'workload' ? addressOf(asked, family) : to.address;
	if (!target) return withoutAddress(setting, to.object ?? '', asked);
	if (asked?.name === from.port) return toItself(setting);
	return ofAllEndpoints(setting, port, firstPacket(question, port, source, target));
}

function toItself({ question }: Setting): Answer {
	const summary = `passes: ${nameOf(question.from.object)} reaches itself without the network`;
	const nothing = { object: undefined, path: undefined, rule: undefined, fix: undefined, notes: [] };
	return { question, verdict: 'passes', reason: 'allowed', summary, ...nothing, ...noWay };
}

function firstPacket({ protocol, targetPort = 0 }: ReachQuestion, port: SwitchPort, source: Ip, target: Ip): Packet {
	const sourceMac = port.addresses[0]?.mac ?? 0n;
	const start = { isReply: false, sourceMac, targetMac: 0n, node: port.node, ttl: 64 };
	return { source, target, protocol, sourcePort: clientPort, targetPort, ...start };
}

function ofAllEndpoints(setting: Setting, from: SwitchPort, packet: Packet): Answer {
	const { backend } = setting.question;
	const first = follow(setting, from, packet, backend ?? 0);
	const count = backend === undefined ? Math.max(1, first.endpoints) : 1;
	const rest = Array.from({ length: count - 1 }, (_, at) => follow(setting, from, packet, at + 1).answer);
	const bad = [first.answer, ...rest].filter(({ verdict }) => verdict === 'denied');
	const [worst] = bad;
	if (!worst || bad.length === count) return first.answer;
	return { ...worst, notes: [`${bad.length} of ${count} endpoints are out of reach`, ...worst.notes] };
}

function follow(setting: Setting, from: SwitchPort, packet: Packet, backend: number) {
	const journey = newJourney(setting.network, { backend });
	const end = walk(journey, from, packet);
	return { answer: outcome(setting, from, journey, end), endpoints: journey.balanced?.vip.backends.length ?? 0 };
}

function addressOf(port: SwitchPort | undefined, family: Family): Ip | undefined {
	return port?.addresses.flatMap(({ ips }) => ips).find((ip) => ip.family === family);
}

function withoutAddress(setting: Setting, object: string, port: SwitchPort | undefined): Answer {
	const { question, observed } = setting;
	const why = observed.waiting.get(object);
	const what = `${nameOf(object)} has no ${port ? `IPv${question.family} address` : 'address yet'}`;
	const fix = port
		? 'give its subnet a block of this family, or ask for the other family'
		: `see condition tapestry.io/NetworkReady and the events of ${nameOf(object)}`;
	const fault = { object, path: 'status.conditions', fix };
	return denied(setting, 'no-address', `denied: ${what}${why === undefined ? '' : `: ${why}`}`, fault, noWay);
}
