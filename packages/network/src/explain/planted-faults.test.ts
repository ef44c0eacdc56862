import { expect, it } from 'vitest';
import { compileAll } from '../compile/compiler.ts';
import { buildNetwork } from './build-network.ts';
import { explain } from './explain.ts';
import { type Snapshot, snapshotOfFragments } from './snapshot.ts';
import { type Fault, faultsOf, observedOf, type Variation } from './testing/faults.ts';

const variations: readonly Variation[] = [
	{ family: 4, target: 'b', protocol: 'tcp', port: 80 },
	{ family: 6, target: 'b', protocol: 'icmp', port: 0 },
	{ family: 4, target: 'c', protocol: 'udp', port: 53 },
	{ family: 6, target: 'c', protocol: 'tcp', port: 8080 },
	{ family: 6, target: 'b', protocol: 'sctp', port: 5000 },
];

const faults = variations.flatMap(faultsOf).filter(({ more, to }) => to.kind !== 'address' || more?.targetPort !== 0);

/** With what ovn-northd says of a port. */
function withPortDown(snapshot: Snapshot, name: string | undefined): Snapshot {
	const ports = (snapshot.Logical_Switch_Port ?? []).map((row) => ({ ...row, columns: { ...row.columns, up: row.columns.name !== name } }));
	return { ...snapshot, Logical_Switch_Port: ports };
}

function wrong(fault: Fault): string[] {
	const { name, world, to, more, down, reason, object, path, fix = /./ } = fault;
	const network = buildNetwork(withPortDown(snapshotOfFragments(compileAll(world)), down));
	const question = { from: { object: 'Pod/shop/a', port: 'a.shop' }, to, family: 4, protocol: 'tcp', ...more } as const;
	const answer = explain(network, question, observedOf(fault));
	const isRight = answer.verdict === 'denied' && answer.reason === reason && answer.object === object;
	const isThere = path === undefined || (typeof path === 'string' ? answer.path === path : path.test(answer.path ?? ''));
	return isRight && isThere && fix.test(answer.fix ?? '')
		? []
		: [`${name}, IPv${question.family}: ${JSON.stringify({ ...answer, steps: [], sent: {} }, texts)}`];
}

const texts = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);

it('names the verdict and the object of planted faults', () => {
	expect(faults.length).toBeGreaterThanOrEqual(100);
	expect(faults.flatMap(wrong)).toEqual([]);
});
