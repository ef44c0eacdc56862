import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { enterNode, labNodes, programPid, startAgent, startController, startNorthd } from '@tapestry/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killAndWait } from '../../packages/agent/src/testing/chassis.ts';
import { steadyPing, unanswered } from '../../packages/agent/src/testing/steady-ping.ts';
import { applyYaml, deleteYaml, deps, inWorkload, kubeJson, type PodStatus, sharedLab, waitReady } from './harness/lab.ts';
import { settled } from './harness/settled.ts';
import { namespace, pod } from './matrix/objects.ts';

const objects = [namespace('crash'), pod('a', { namespace: 'crash', node: 'n1' }), pod('b', { namespace: 'crash', node: 'n2' })].join('');

beforeAll(async () => {
	await applyYaml(objects);
	await waitReady('crash', 'pod/a', 'pod/b');
	// A pod is ready when its own node has its flows: the first ping is counted.
	await settled();
});
afterAll(() => deleteYaml(objects));

/** Pings a -> b at 50 ms while `fault` happens: which packets did not come back. */
async function lost(fault: () => Promise<void>): Promise<readonly number[]> {
	const { status } = await kubeJson<PodStatus>('get', 'pod', '-n', 'crash', 'b');
	const result = inWorkload('crash', 'pod/a', ...steadyPing(status.podIP, { count: 80, intervalSeconds: 0.05 }));
	await fault();
	return unanswered((await result).stdout, 80);
}

async function killProgram(name: string): Promise<void> {
	const pid = programPid(sharedLab(), name);
	expect(pid, `${name} runs`).toBeTypeOf('number');
	await killAndWait(pid!);
}

describe('traffic of ports that exist goes on', () => {
	const marked = () => ({ env: { ...deps.env, TAPESTRY_LAB: sharedLab().dir } });

	it('when the controller is killed and started again', async () => {
		const missing = await lost(async () => {
			await killProgram('controller');
			await startController(marked(), sharedLab(), 'controller');
		});
		expect(missing).toEqual([]);
	});

	it('when the agent of a node is killed and started again', async () => {
		const missing = await lost(async () => {
			await killProgram('n1-agent');
			await startAgent(marked(), sharedLab(), labNodes(1)[0]!);
		});
		expect(missing).toEqual([]);
	});

	it('when ovn-northd is killed and started again', async () => {
		const missing = await lost(async () => {
			await killAndWait(Number(readFileSync(join(sharedLab().central, 'northd.pid'), 'utf8')));
			await startNorthd(marked(), { dir: sharedLab().central });
		});
		expect(missing).toEqual([]);
	});
});

describe('the pod’s network after its agent was restarted', () => {
	it('is taken down as cleanly as before', async () => {
		await deleteYaml(objects);
		const child = spawn('nsenter', [...enterNode(sharedLab(), 'n1').slice(1), 'ip', 'netns', 'list']);
		const chunks: Buffer[] = [];
		child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
		await once(child, 'close');
		expect(Buffer.concat(chunks).toString()).not.toMatch(/^a-/m);
	});
});
