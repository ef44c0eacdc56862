import { formatIp } from '@tapestry/base';
import { execute } from '@tapestry/lab';
import {
	type Answer,
	buildNetwork,
	compileAll,
	type DesiredRow,
	explain,
	type Fragment,
	formatAnswers,
	matches,
	type PacketFields,
	printMatch,
	snapshotOfFragments,
} from '@tapestry/network';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Pick, randomNetwork, randomQuestion } from '../../../network/src/explain/testing/random-network.ts';
import { anyExpression, anyPacket } from '../../../network/src/match/testing/arbitrary.ts';
import { readNetwork } from './northbound.ts';
import { deps, TestOvn } from './testing/ovn.ts';
import { traceAnswer } from './trace.ts';

let ovn: TestOvn;
beforeAll(async () => {
	ovn = await TestOvn.start();
});
afterAll(() => ovn[Symbol.asyncDispose]());

const signal = new AbortController().signal;

const runs = 4;
const questions = 30;
const expressions = 60;

it('answers as ovn-trace does, over random networks, and alike from the database and from the compiled rows', {
	timeout: 240_000,
}, async () => {
	const seen = { passes: 0, denied: 0 };
	const problems: string[] = [];
	const networks = fc.asyncProperty(fc.gen(), async (gen) => {
		const pick: Pick = (...values) => gen(fc.constantFrom, ...values);
		const { world, pods } = randomNetwork(pick);
		const fragments = compileAll(world);
		await ovn.write(fragments);
		const compiled = buildNetwork(snapshotOfFragments(fragments));
		for (let number = 0; number < questions; number++) {
			const question = randomQuestion(pick, pods);
			const answer = explain(compiled, question);
			seen[answer.verdict]++;
			const read = explain(await readNetwork(ovn.session, question, ['n1', 'n2'], signal), question);
			// No port is plugged in anywhere, which only the database knows.
			const isSame = read.reason === 'port-down' ? sameWay(read, answer) : formatAnswers([read]) === formatAnswers([answer]);
			if (!isSame) problems.push(`read: ${formatAnswers([read])}\ncompiled: ${formatAnswers([answer])}`);
			// ovn-trace leaves the source of a packet that comes back from a Service to its sender as it is; OVN puts the Service's address there.
			if (answer.sent?.endpoint?.startsWith(`${formatIp(answer.sent.packet.source)}:`)) continue;
			const traced = await traceAnswer(deps, ovn.southbound.endpoint, answer, signal);
			if (traced?.agrees === false) problems.push(`${formatAnswers([answer])}\n${traced.text}`);
		}
	});
	await fc.assert(networks, { numRuns: runs, endOnFailure: true, seed: 11 });
	expect(problems.join('\n\n')).toBe('');
	expect(seen.passes).toBeGreaterThan(runs);
	expect(seen.denied).toBeGreaterThan(runs);
});

it('evaluates match expressions as OVN does', { timeout: 240_000 }, async () => {
	const samples = fc.sample(fc.tuple(anyExpression, anyPacket), { numRuns: expressions, seed: 5 });
	await ovn.write(new Map(samples.map(([expression], index) => [`Subnet/x${index}`, switchWithRule(index, printMatch(expression))])));
	const problems = await Promise.all(
		[0, 1].map(async (half) => {
			const wrong: string[] = [];
			for (const [index, [expression, packet]] of samples.entries()) {
				if (index % 2 !== half) continue;
				const fields = { ...packet, inport: `a${index}`, outport: `b${index}` };
				const isDropped = matches(expression, fields, { addressSet: () => [], isInGroup: () => false, isResident: () => true });
				const argv = ['ovn-trace', `--db=${ovn.southbound.endpoint}`, '--minimal', `x${index}`, microflow(`a${index}`, packet)];
				const { stdout, stderr } = await execute(deps, { argv });
				if (stdout.includes('output(') === isDropped || /parsing/.test(stderr)) wrong.push(`${printMatch(expression)}\n${stdout}${stderr}`);
			}
			return wrong;
		}),
	);
	expect(problems.flat().join('\n\n')).toBe('');
});

/** A switch of two ports where what matches does not reach the second. */
function switchWithRule(index: number, match: string): Fragment {
	const group = { table: 'Port_Group', key: `g${index}` };
	const ports = ['a', 'b'].map(
		(name, at): DesiredRow => ({
			table: 'Logical_Switch_Port',
			key: `${name}${index}`,
			columns: { name: `${name}${index}`, addresses: [`02:00:00:00:00:0${at + 1}`] },
			listedIn: [
				{ table: 'Logical_Switch', key: `x${index}`, column: 'ports' },
				{ ...group, column: 'ports' },
			],
		}),
	);
	const acl: DesiredRow = {
		table: 'ACL',
		key: `x${index}`,
		columns: { direction: 'to-lport', priority: 1000, match: `outport == "b${index}" && (${match})`, action: 'drop' },
		listedIn: [{ ...group, column: 'acls' }],
	};
	const own: DesiredRow = { table: 'Logical_Switch', key: `x${index}`, columns: { name: `x${index}` }, listedIn: [] };
	return { rows: [own, { ...group, columns: { name: `g${index}` }, listedIn: [] }, ...ports, acl] };
}

/** The packet in ovn-trace's words, which are those of match expressions. */
function microflow(inport: string, packet: PacketFields): string {
	const parts = Object.entries(packet).flatMap(([name, value]) =>
		typeof value === 'bigint' ? [`${name} == ${printed(name, value)}`] : [],
	);
	return [`inport == "${inport}"`, ...parts].join(' && ');
}

function printed(name: string, value: bigint): string {
	if (name.startsWith('eth.s') || name.startsWith('eth.d')) return value.toString(16).padStart(12, '0').replace(/..\B/g, '$&:');
	return /^ip[46]\./.test(name) ? formatIp({ family: name[2] === '4' ? 4 : 6, value }) : String(value);
}

function sameWay(a: Answer, b: Answer): boolean {
	const way = ({ steps, deliveredTo }: Answer) => JSON.stringify([steps, deliveredTo]);
	return way(a) === way(b);
}
