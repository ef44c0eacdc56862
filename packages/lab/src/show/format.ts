import type { Fact, Hop, PortPath } from './hop.ts';

/** The path for people: a line for each hop from the workload up, its facts below it. */
export function formatPortPath({ workload, namespace, node, hops, faults }: PortPath): string {
	const blocks = hops.map((hop, index) => formatHop(hop, index));
	const verdict = faults.length === 0 ? ['no faults'] : faults.map((fault) => `FAULT ${fault}`);
	return [`${workload} in namespace ${namespace}, on node ${node}`, '', ...blocks, '', ...verdict].join('\n');
}

function formatHop({ kind, name, facts, trouble }: Hop, index: number): string {
	const lines = Object.entries(facts).flatMap(([key, fact]) => {
		const text = fact === undefined ? '' : formatFact(fact);
		return text === '' ? [] : [`       ${key.padEnd(18)} ${text}`];
	});
	const head = `${index === 0 ? '  ' : '<-'} ${kind} ${name}`.trimEnd();
	return [head, ...lines, ...(trouble === undefined ? [] : [`       ${'not read'.padEnd(18)} ${trouble}`])].join('\n');
}

function formatFact(fact: Fact): string {
	if (typeof fact === 'boolean') return fact ? 'yes' : 'no';
	if (typeof fact !== 'object') return String(fact);
	if (isList(fact)) return fact.join('  ');
	return Object.entries(fact)
		.map(([key, value]) => `${key}=${value}`)
		.join('  ');
}

/** Array.isArray does not narrow a readonly array out of a union. */
function isList(fact: readonly string[] | Readonly<Record<string, string | number>>): fact is readonly string[] {
	return Array.isArray(fact);
}
