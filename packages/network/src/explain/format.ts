import { formatIp } from '@tapestry/base';
import type { Answer } from './answer.ts';
import { nameOf } from './denial.ts';
import type { ReachQuestion } from './question.ts';

/** The answer as text: the verdict, what to look at, and the way of the packet. */
export function formatAnswer(answer: Answer): string {
	const { question, summary, object, path, rule, fix, notes, steps } = answer;
	const lines = [`${askedFor(question)}: ${summary}`];
	const about = (label: string, text: string | undefined) => (text === undefined ? [] : [`  ${label.padEnd(7)}${text}`]);
	lines.push(...about('object', object && nameOf(object)), ...about('field', path), ...about('rule', rule), ...about('fix', fix));
	for (const note of notes) lines.push(...about('note', note));
	for (const { at, what, by } of steps) {
		lines.push(`  ${at}: ${what}`);
		if (by)
			lines.push(`    ${[by.origin && `${nameOf(by.origin.object)} ${by.origin.path ?? ''}`.trim(), by.rule].filter(Boolean).join(': ')}`);
	}
	return lines.join('\n');
}

/** `Pod shop/a -> VirtualMachine shop/b, TCP 80, IPv4`. */
function askedFor({ from, to, protocol, targetPort, family }: ReachQuestion): string {
	const target = to.object === undefined ? (to.kind === 'address' ? formatIp(to.address) : '') : nameOf(to.object);
	const what = protocol === 'icmp' ? 'ping' : `${protocol.toUpperCase()} ${targetPort ?? ''}`;
	return `${nameOf(from.object)} -> ${target}, ${what}, IPv${family}`;
}
