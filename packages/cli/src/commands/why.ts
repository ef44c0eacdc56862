import { existsSync } from 'node:fs';
import { CodedError, type Ip, parseIp } from '@tapestry/base';
import { createKubeClient } from '@tapestry/kube';
import { labLayout, podMtu } from '@tapestry/lab';
import { formatAnswers, type Protocol } from '@tapestry/network';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CliContext, LabOption } from '../context.ts';
import { askWhy } from '../why/ask.ts';
import { northboundOf, southboundOf } from '../why/places.ts';
import { parseSubject } from '../why/subject.ts';
import { traceAnswer } from '../why/trace.ts';
import { labOption } from './lab-option.ts';

interface WhyOptions extends LabOption {
	readonly namespace: string;
	readonly tcp?: number;
	readonly udp?: number;
	readonly sctp?: number;
	readonly family?: 4 | 6;
	readonly size?: number;
	readonly source?: Ip;
	readonly kubeconfig?: string;
	readonly nb?: string;
	readonly sb?: string;
	readonly trace: boolean;
	readonly json: boolean;
}

/** `tapestry why FROM TO`; the exit status is 0 when it passes, 1 when it is denied. */
export function whyCommand(context: CliContext): Command {
	return new Command('why')
		.description('why one workload reaches another or does not: the verdict, the object and rule that decides, the way of the packet')
		.argument('<from>', 'pod/NAME, vm/NAME, node/NAME')
		.argument('<to>', 'pod/NAME, vm/NAME, svc/NAME, node/NAME, or an address; pod/NAMESPACE/NAME for another namespace')
		.addOption(labOption())
		.option('-n, --namespace <namespace>', 'namespace of both', 'default')
		.addOption(new Option('--tcp <port>', 'a TCP connection instead of a ping').argParser(parsePort))
		.addOption(new Option('--udp <port>', 'a UDP packet').argParser(parsePort).conflicts('tcp'))
		.addOption(new Option('--sctp <port>', 'an SCTP association').argParser(parsePort).conflicts(['tcp', 'udp']))
		.addOption(new Option('--family <family>', '4 or 6 (default: all that both have)').argParser(parseFamily))
		.addOption(new Option('--size <bytes>', 'of the IP packet: whether it is too large').argParser(parseSize))
		.addOption(new Option('--source <address>', 'an address that it sends from in place of its own').argParser(parseAddress))
		.option('--kubeconfig <file>', 'a cluster in place of the lab')
		.option('--nb <endpoint>', 'its Northbound database: unix:PATH or tcp:ADDRESS:PORT')
		.option('--sb <endpoint>', 'its Southbound database, for --trace')
		.option('--trace', "show ovn-trace's answer beside it", false)
		.option('--json', 'one JSON document', false)
		.action(async (from: string, to: string, options: WhyOptions) => {
			context.exit(await why(context, from, to, options));
		});
}

async function why(context: CliContext, from: string, to: string, options: WhyOptions): Promise<number> {
	const places = placesOf(options);
	using client = createKubeClient({ clock: context.clock, random: Math.random }, { kubeconfig: places.kubeconfig });
	const request = {
		from: parseSubject(from, options.namespace),
		to: parseSubject(to, options.namespace),
		...asked(options),
		family: options.family,
		size: options.size,
		source: options.source,
		betweenNodes: places.betweenNodes,
	};
	const answers = await askWhy({ client, northbound: places.nb }, request, context.signal);
	const traces = options.trace ? await Promise.all(answers.map((answer) => traceAnswer(context, places.sb, answer, context.signal))) : [];
	if (options.json) context.write(`${toJson({ answers, traces })}\n`);
	else {
		context.write(`${formatAnswers(answers)}\n`);
		for (const [at, trace] of traces.entries()) {
			const family = `IPv${answers[at]?.question.family}`;
			if (trace) context.write(`\novn-trace, ${family}: ${trace.agrees ? 'agrees' : 'DOES NOT AGREE'}\n${trace.text}\n`);
		}
	}
	return answers.every(({ verdict }) => verdict === 'passes') ? 0 : 1;
}

/** Where the API and the databases are. @throws LAB_NOT_UP, WHY_CLUSTER */
function placesOf(options: WhyOptions) {
	const layout = labLayout(options.name);
	const { kubeconfig, nb, sb } = options;
	if (kubeconfig !== undefined) {
		if (nb === undefined || (options.trace && sb === undefined)) {
			throw new CodedError('WHY_CLUSTER', {
				what: 'a cluster in place of the lab needs its databases too',
				fix: 'give --nb, and with --trace --sb',
			});
		}
		return { kubeconfig, nb, sb: sb ?? '', betweenNodes: undefined };
	}
	if (!existsSync(layout.kubeconfig)) {
		throw new CodedError('LAB_NOT_UP', { what: `lab ${layout.id} is not up`, fix: 'bring it up: npm run lab -- up' });
	}
	return { kubeconfig: layout.kubeconfig, nb: nb ?? northboundOf(layout), sb: sb ?? southboundOf(layout), betweenNodes: podMtu };
}

function asked({ tcp, udp, sctp }: WhyOptions): { readonly protocol: Protocol | undefined; readonly port: number | undefined } {
	if (tcp !== undefined) return { protocol: 'tcp', port: tcp };
	if (udp !== undefined) return { protocol: 'udp', port: udp };
	return { protocol: sctp === undefined ? undefined : 'sctp', port: sctp };
}

/** Addresses hold integers beyond what JSON's readers take: they go as text. */
function toJson(value: unknown): string {
	return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part), 2);
}

function parsePort(text: string): number {
	return within(text, 1, 65_535, 'A port is a number from 1 to 65535.');
}

function parseSize(text: string): number {
	return within(text, 1, 65_535, 'A size is a number of bytes up to 65535.');
}

function parseFamily(text: string): number {
	if (text === '4' || text === '6') return Number(text);
	throw new InvalidArgumentError('A family is 4 or 6.');
}

function parseAddress(text: string): Ip {
	const ip = parseIp(text);
	if (ip) return ip;
	throw new InvalidArgumentError('An address is written like 10.16.0.9 or fd00::9.');
}

function within(text: string, least: number, most: number, problem: string): number {
	const value = Number(text);
	if (!Number.isInteger(value) || value < least || value > most) throw new InvalidArgumentError(problem);
	return value;
}
