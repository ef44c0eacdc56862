import { randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execute, labLayout, labNodes, labProcesses, removeLab, run } from '@tapestry/lab';
import type { TestProject } from 'vitest/node';
import { deps, tapestry } from './lab.ts';

declare module 'vitest' {
	interface ProvidedContext {
		readonly lab: string;
	}
}

/** Boots one lab of three nodes, the last with DPDK, for all e2e files, and shows afterwards that nothing of it is left. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
	const id = `t${randomInt(36 ** 5).toString(36)}`;
	project.provide('lab', id);
	const { status, stdout, stderr } = await tapestry(['lab', 'up', '--name', id, '--dpdk', 'n3'], { timeoutMs: 600_000 });
	process.stdout.write(stdout);
	if (status === 0) {
		await shortenRests(id);
		return () => teardown(id);
	}
	await keepEvidence(id);
	await removeLab(deps, labLayout(id));
	throw new Error(`the lab did not come up:\n${stderr}`);
}

/** Between two rounds over its datapath a switch rests for up to half a second, which is long where rounds are waited for after each change. */
async function shortenRests(id: string): Promise<void> {
	for (const { name } of labNodes(3)) {
		const db = `unix:${join(labLayout(id).node(name).ovsDir, 'db.sock')}`;
		await run(deps, ['ovs-vsctl', `--db=${db}`, 'set', 'Open_vSwitch', '.', 'other_config:max-revalidator=100']);
	}
}

async function teardown(id: string): Promise<void> {
	const layout = labLayout(id);
	await keepEvidence(id);
	const { status, stderr } = await tapestry(['lab', 'down', '--name', id]);
	if (status !== 0) throw new Error(`the lab did not go down:\n${stderr}`);
	const left = labProcesses(layout);
	const { stdout } = await execute(deps, { argv: ['ip', 'netns', 'list'] });
	if (left.length > 0 || stdout.includes(layout.prefix)) throw new Error(`down left processes ${left.join(' ')} or namespaces:\n${stdout}`);
}

/** Logs and databases of the run, for whoever has to look into a failure. */
async function keepEvidence(id: string): Promise<void> {
	const target = join(import.meta.dirname, '..', '..', '..', '.cache', 'test', 'evidence');
	mkdirSync(target, { recursive: true });
	const { dir } = labLayout(id);
	await execute(deps, {
		argv: [
			'find',
			dir,
			'-type',
			'f',
			'(',
			'-name',
			'*.log',
			'-o',
			'-name',
			'*.out',
			'-o',
			'-name',
			'*.db',
			')',
			'-exec',
			'cp',
			'--parents',
			'-t',
			target,
			'{}',
			'+',
		],
	});
}
