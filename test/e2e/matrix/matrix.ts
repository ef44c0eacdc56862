import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyYaml, kube } from '../harness/lab.ts';
import { discrepancies, northboundBecomes, northboundText } from '../harness/northbound.ts';
import { settled } from '../harness/settled.ts';
import type { Answer, Outcome, Protocol } from './answer.ts';
import { addressOf, type Endpoint, type EndpointName, type Family, openEndpoint } from './endpoints.ts';
import { documentsOf, type Order, remove, waitReady } from './objects.ts';

/**
 * The packet matrix: what a row of the table says about packets is proven with packets, and that nothing is left behind by comparing databases.
 *
 *   matrix('Vpc: peering', {
 *     objects: `${namespace('left')}${pod('a', { namespace: 'left', node: 'n1' })}...`,   // YAML; pods and VMs are waited for
 *     cases: [
 *       { from: 'pod/left/a', to: 'pod/right/b', proto: 'tcp', port: 8080, expect: 'passes' },
 *       { from: 'pod/left/a', to: 'outside', proto: 'ping', expect: 'silent' },
 *       { from: 'pod/left/a', to: { IPv4: '10.96.0.9', IPv6: 'fd00::9' }, proto: 'udp', port: 53, expect: 'passes', by: ['pod/right/b'] },
 *     ],
 *     steps: [{ name: 'no longer after the peering is gone', objects: '...', cases: [...] }],
 *     order: 'forward',
 *   });
 *
 * A run: apply `objects`; wait until what they ask for is in force on every node (harness/settled.ts); start all probes at once, each case in both families of the target (`families` narrows it); one test for each
 * case. Then each step in the same way: `before` (any action), its objects, its cases, `check` (any assertions); its objects are deleted after it
 * unless it says `keep`. In the end everything is deleted in `order` - `forward` is as written, so that a VPC goes before its subnets - and the
 * database has to be, row for row, what it was at the beginning.
 *
 * Who: `pod/NAMESPACE/NAME`, `vm/NAMESPACE/NAME`, `node/NAME`, `outside`; as a target also addresses, or a function that finds them. What: `ping`,
 * `tcp` (a connection that has to carry an answer), `udp` (a datagram that has to be answered). The harness answers at each (proto, port) that is
 * probed at a pod, a node or the outside (default port 8080), and at `serve` for targets behind an address. Its answers say who answers (`by`) and
 * whom that one sees as the sender (`seen`). A guest has only busybox: it answers ping, TCP 7 and TCP 80, and probes from it run one by one.
 * `refused` is a TCP reset, an ICMP error or no route; `silent` is a second without any of it. `passes` and `refused` are tried again for some
 * seconds, because a busy machine delays; `silent` is decided by the first try, which nothing but the network can have kept quiet, as the flows were
 * there before.
 */
export interface Matrix extends Table {
	/** YAML of what the cases stand on. */
	readonly objects: string;
	readonly steps?: readonly Step[];
	/** In which order the objects are deleted at the end. @default 'forward' */
	readonly order?: Order;
	/** Ports to answer at beside those that cases name, such as `udp/53`. */
	readonly serve?: Readonly<Partial<Record<EndpointName, readonly `${'tcp' | 'udp'}/${number}`[]>>>;
}

export interface Table {
	readonly cases?: readonly Case[];
	/** Whatever packets do not show: conditions, rows, refusals. */
	readonly check?: () => Promise<void>;
}

export interface Step extends Table {
	readonly name: string;
	readonly before?: () => Promise<void>;
	/** YAML to apply, which may also change objects of before. */
	readonly objects?: string;
	/** Whether `objects` stay. */
	readonly keep?: boolean;
	/** Undoes `before`. */
	readonly after?: () => Promise<void>;
}

export type Target = Readonly<Partial<Record<Family, string>>>;

export interface Case {
	readonly from: EndpointName;
	readonly to: EndpointName | Target | (() => Promise<Target>);
	readonly proto: Protocol;
	/** @default 8080, for a guest 80 */
	readonly port?: number;
	readonly expect: Outcome;
	readonly families?: readonly Family[];
	/** One of these has to be who answers. */
	readonly by?: readonly EndpointName[];
	/** Under which address, or one of which, the answering side has to see the sender. */
	readonly seen?: Readonly<Partial<Record<Family, string | readonly string[]>>>;
	/** Shown instead of the target where that is a function. */
	readonly name?: string;
}

/** How long one probe waits; and how many are made for an answer that has to come. */
const patience = 1000;
const attempts = 15;

export function matrix(name: string, table: Matrix): void {
	describe(name, () => {
		const endpoints = new Endpoints();
		let empty: readonly string[] = [];
		beforeAll(async () => {
			// What is on its way out since before belongs to nobody here.
			expect(await discrepancies(), 'nothing is under way').toEqual([]);
			empty = await northboundText();
			await applyYaml(table.objects);
			await waitReady(table.objects);
		});
		describe('as made', () => {
			rows(table, endpoints, table.serve);
		});
		for (const step of table.steps ?? []) describe(step.name, () => steps(step, endpoints, table.serve));
		afterAll(async () => {
			await endpoints.close();
			await remove(table.objects, table.order ?? 'forward');
			expect(await northboundBecomes(empty), 'nothing is left in the Northbound database').toEqual(empty);
		});
	});
}

function steps(step: Step, endpoints: Endpoints, served: Matrix['serve']): void {
	beforeAll(async () => {
		await step.before?.();
		if (step.objects !== undefined) {
			await applyYaml(step.objects);
			await waitReady(step.objects);
		}
		// Workloads may have been made anew.
		if (step.before || documentsOf(step.objects ?? '').some(({ kind }) => kind !== 'Subnet')) await endpoints.close();
	});
	rows(step, endpoints, served);
	afterAll(async () => {
		if (step.objects !== undefined && !step.keep) await remove(step.objects, 'reverse');
		await step.after?.();
	});
}

function rows({ cases = [], check }: Table, endpoints: Endpoints, served: Matrix['serve'] = {}): void {
	let answers: readonly Promise<Answers>[] = [];
	beforeAll(async () => {
		await settled();
		for (const [who, ports] of Object.entries(served)) {
			const endpoint = await endpoints.get(who as EndpointName);
			for (const [protocol, port] of (ports ?? []).map((text) => text.split('/'))) await endpoint.serve(protocol as Protocol, Number(port));
		}
		for (const one of cases) if (typeof one.to === 'string') await serveAt(one, one.to, endpoints);
		answers = cases.map((one) => ask(one, endpoints));
		for (const answer of answers) answer.catch(() => {});
	});
	for (const [i, one] of cases.entries()) {
		it(titleOf(one), async () => {
			const got = await (answers[i] ?? {});
			expect(Object.keys(got).length, 'families asked').toBeGreaterThan(0);
			for (const [family, answer] of Object.entries(got) as [Family, Answer][]) {
				expect({ family, ...answer }).toMatchObject({ family, outcome: one.expect });
				if (one.by) expect(one.by).toContain(answer.by);
				if (one.seen) expect([one.seen[family]].flat()).toContain(answer.seen);
			}
		});
	}
	if (check) it('as the objects say', check);
}

type Answers = Readonly<Partial<Record<Family, Answer>>>;

async function ask(one: Case, endpoints: Endpoints): Promise<Answers> {
	const from = await endpoints.get(one.from);
	const target = await targetOf(one.to, endpoints);
	const families = (one.families ?? (['IPv4', 'IPv6'] as const)).filter((family) => target[family] !== undefined);
	const answers = families.map(async (family) => {
		const request = { protocol: one.proto, address: target[family] ?? '', port: portOf(one), milliseconds: patience };
		return [family, await insist(() => from.probe(request), one.expect)] as const;
	});
	return Object.fromEntries(await Promise.all(answers));
}

async function insist(probe: () => Promise<Answer>, wanted: Outcome): Promise<Answer> {
	for (let left = attempts; ; left--) {
		const answer = await probe();
		if (answer.outcome === wanted || wanted === 'silent' || left === 1) return answer;
		// A refusal comes at once; the one who is to answer may need a moment.
		if (answer.outcome === 'refused') await new Promise((resolve) => setTimeout(resolve, patience));
	}
}

async function targetOf(to: Case['to'], endpoints: Endpoints): Promise<Target> {
	if (typeof to === 'function') return to();
	if (typeof to !== 'string') return to;
	const endpoint = await endpoints.get(to);
	const [IPv4, IPv6] = [addressOf(endpoint, 'IPv4'), addressOf(endpoint, 'IPv6')];
	return { ...(IPv4 ? { IPv4 } : {}), ...(IPv6 ? { IPv6 } : {}) };
}

async function serveAt(one: Case, to: EndpointName, endpoints: Endpoints): Promise<void> {
	if (one.proto === 'tcp' || one.proto === 'udp') await (await endpoints.get(to)).serve(one.proto, portOf(one));
}

function portOf({ port, to }: Case): number {
	return port ?? (typeof to === 'string' && to.startsWith('vm/') ? 80 : 8080);
}

function titleOf(one: Case): string {
	const to =
		one.name ?? (typeof one.to === 'string' ? one.to : typeof one.to === 'function' ? 'a found address' : Object.values(one.to).join(' '));
	const port = one.proto === 'ping' ? '' : ` ${portOf(one)}`;
	return `${one.from} -> ${to} ${one.proto}${port}${one.families ? ` ${one.families.join(' ')}` : ''} ${one.expect}`;
}

/** Opened when first asked for. */
class Endpoints {
	readonly #open = new Map<EndpointName, Promise<Endpoint>>();

	get(name: EndpointName): Promise<Endpoint> {
		const endpoint = this.#open.get(name) ?? openEndpoint(name);
		this.#open.set(name, endpoint);
		return endpoint;
	}

	async close(): Promise<void> {
		const all = [...this.#open.values()];
		this.#open.clear();
		for (const endpoint of await Promise.all(all)) await endpoint[Symbol.asyncDispose]();
	}
}

/** kubectl against the shared lab; what it says when it has to fail. */
export async function refusal(...args: readonly string[]): Promise<string> {
	return kube(...args).then(
		() => '',
		(error: Error) => error.message,
	);
}
