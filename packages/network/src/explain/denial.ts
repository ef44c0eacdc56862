import type { Answer, Reason } from './answer.ts';
import type { Cited, DropReason, End } from './journey.ts';
import type { LogicalNetwork } from './logical-network.ts';
import type { Observed, ReachQuestion } from './question.ts';
import type { Origin } from './snapshot.ts';

/** What every part of an answer is made from. */
export interface Setting {
	readonly network: LogicalNetwork;
	readonly question: ReachQuestion;
	readonly observed: Observed;
}

/** What an answer knows already of the packet's way. */
export type Way = Pick<Answer, 'steps' | 'allowedBy' | 'sent' | 'deliveredTo' | 'answeredBy'>;

export const noWay: Way = { steps: [], allowedBy: [], sent: undefined, deliveredTo: undefined, answeredBy: undefined };

export type Fault = Partial<Pick<Answer, 'object' | 'path' | 'rule' | 'fix' | 'notes'>>;

export function denied({ question }: Setting, reason: Reason, summary: string, fault: Fault, way: Way): Answer {
	const { object, path, rule, fix, notes = [] } = fault;
	return { question, verdict: 'denied', reason, summary, object, path, rule, fix, notes, ...way };
}

type Dropped = Extract<End, { kind: 'dropped' }>;

/** The answer for a packet that the network dropped. */
export function deniedByNetwork(setting: Setting, end: Dropped, way: Way): Answer {
	return end.by ? byRule(setting, end, end.by.origin, way) : byState(setting, end, way);
}

function byRule(setting: Setting, end: Dropped, origin: Origin | undefined, way: Way): Answer {
	const isPrivate = origin?.object.startsWith('Subnet/') === true && /^spec\.(private|allowSubnets)/.test(origin.path ?? '');
	const reason: Reason = isPrivate ? 'private-subnet' : end.reason;
	const refused = end.isRefused ? ', and refused at once' : '';
	const summary = origin?.object
		? `denied, as ordered by ${nameOf(origin.object)}${origin.path ? ` (${origin.path})` : ''}: ${end.detail}${refused}`
		: `denied by ${origin ? 'the end of a list of rules' : 'a rule that no object of ours made'}: ${end.detail}${refused}`;
	const also = end.by?.also ?? [];
	const notes = also.length === 0 ? [] : [`also denied by ${also.join(', ')}`];
	const fault = { object: origin?.object || undefined, path: origin?.path, rule: end.by?.rule, fix: fixOf(setting, reason, end.by), notes };
	return denied(setting, reason, summary, fault, way);
}

function fixOf({ question }: Setting, reason: Reason, by: Cited | undefined): string {
	const origin = by?.origin;
	const from = nameOf(question.from.object);
	const to = nameOf(question.to.object ?? 'the address');
	if (origin?.object === '') return 'the policies of the port make more rules than fit: let fewer select it (docs/design/0009-verdicts.md)';
	if (!origin) return 'look for who wrote the row into the Northbound database: its external_ids lack our mark';
	const object = nameOf(origin.object);
	if (reason === 'private-subnet') return `add a block that holds ${from} to spec.allowSubnets of ${object}, or set spec.private to false`;
	const isReceiving = by?.rule.startsWith('to-lport') === true;
	switch (origin.object.split('/')[0]) {
		case 'NetworkPolicy':
			return isReceiving
				? `let ${from} in by a rule of spec.ingress in ${object}, or in another NetworkPolicy that selects ${to}`
				: `let ${to} be reached by a rule of spec.egress in ${object}, or in another NetworkPolicy that selects ${from}`;
		case 'SecurityGroup':
			return `add a rule that allows it to ${object}`;
		case 'Vpc':
			return `change ${origin.path ?? 'spec.policyRoutes'} of ${object}`;
		default:
			return `change ${origin.path ?? 'the rule'} of ${object}`;
	}
}

/** What each of the network's own states comes down to. */
function byState(setting: Setting, end: Dropped, way: Way): Answer {
	const object = end.origin?.object;
	const summary = `denied: ${end.detail}`;
	const say = (fault: Fault): Answer => denied(setting, end.reason, summary, { object, ...fault }, way);
	const { question } = setting;
	const state: Readonly<Record<DropReason, () => Answer>> = {
		policy: () => say({}),
		'route-policy': () => say({}),
		'port-security': () =>
			say({
				object: question.from.object,
				path: 'metadata.annotations',
				fix: `send from the port's own address, make a Vip for the other one, or annotate ovn.kubernetes.io/port_security: "false"`,
			}),
		'no-endpoints': () =>
			say({ path: 'spec.selector', fix: `start a pod that ${nameOf(object ?? 'the Service')} selects and that is Ready` }),
		'no-route': () => say({ path: 'spec.staticRoutes', fix: `add a route for the address to ${nameOf(object ?? 'the VPC')}` }),
		'no-gateway': () => say({ path: 'spec.cidrBlock', fix: 'give the subnet a block of this family' }),
		'no-such-address': () => say({ path: 'spec.cidrBlock', fix: 'see who holds the address: kubectl get ips' }),
		'no-next-hop': () => say({ path: 'spec.staticRoutes', fix: 'name a next hop that is on a subnet of the VPC and in use' }),
		'router-address': () => say({ path: 'spec.gateway', fix: 'ask for an address of a workload' }),
		loop: () => say({ path: 'spec.staticRoutes', fix: 'two routes send it to each other: correct one of them' }),
	};
	return state[end.reason]();
}

/** `NetworkPolicy shop/deny` for `NetworkPolicy/shop/deny`: as people say it. */
export function nameOf(object: string): string {
	const at = object.indexOf('/');
	return at < 0 ? object : `${object.slice(0, at)} ${object.slice(at + 1)}`;
}
