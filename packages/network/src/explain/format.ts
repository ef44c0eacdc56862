import { formatIp } from '@tapestry/base';
import type { Answer } from './answer.ts';
import { nameOf } from './denial.ts';
import type { Cited } from './journey.ts';
import type { ReachQuestion } from './question.ts';

/** Answers as text: what was asked, the verdict, what to look at, and the way of the packet. Families with one answer are told together. */
export function formatAnswers(answers: readonly Answer[]): string {
	const groups = new Map<string, Answer[]>();
	for (const answer of answers) {
		const { verdict, reason, object, path } = answer;
		const key = JSON.stringify([verdict, reason, object, path]);
		groups.set(key, [...(groups.get(key) ?? []), answer]);
	}
	return [...groups.values()].map(formatGroup).join('\n\n');
}

function formatGroup(alike: readonly Answer[]): string {
	const [answer] = alike;
	if (!answer) return '';
	const { question, summary, object, path, rule, fix, notes, steps } = answer;
	const families = alike.map((one) => `IPv${one.question.family}`).join(' and ');
	const rows = [
		['object', object && nameOf(object)],
		['field', path],
		['rule', rule],
		['fix', fix],
		...notes.map((note) => ['note', note]),
	];
	const facts = rows.flatMap(([label = '', text]) => (text === undefined ? [] : [`  ${label.padEnd(6)}  ${text}`]));
	const way = steps.map(({ at, what, by }, index) => `  ${index === 0 ? 'way   ' : '      '}  ${at}: ${what}${by ? citation(by) : ''}`);
	return [`${askedFor(question)}, ${families}`, summary, ...facts, ...way].join('\n');
}

/** What was allowed because no rule speaks of it stands for no object. */
function citation({ origin, rule }: Cited): string {
	if (origin?.object === '') return ', because no rule is about it';
	return origin ? `, by ${`${nameOf(origin.object)} ${origin.path ?? ''}`.trim()}` : `, by ${rule}`;
}

/** `Pod shop/a -> VirtualMachine shop/b, TCP 80`. */
function askedFor({ from, to, protocol, targetPort }: ReachQuestion): string {
	const address = to.kind === 'workload' ? '' : formatIp(to.address);
	const target = to.object === undefined ? address : nameOf(to.object);
	const what = protocol === 'icmp' ? 'ping' : `${protocol.toUpperCase()} ${targetPort ?? ''}`.trim();
	return `${nameOf(from.object)} -> ${target}, ${what}`;
}
