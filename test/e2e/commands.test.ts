import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute, labLayout, labProcesses, labStatus } from '@tapestry/lab';
import { afterAll, describe, expect, it } from 'vitest';
import { deps, sharedLab, tapestry } from './harness/lab.ts';

const main = join(import.meta.dirname, '..', '..', 'packages/cli/src/main.ts');
const own = `u${randomInt(36 ** 5).toString(36)}`;
afterAll(() => tapestry(['lab', 'down', '--name', own]));

async function netns(): Promise<string> {
	return (await execute(deps, { argv: ['ip', 'netns', 'list'] })).stdout;
}

describe('lab', () => {
	it('status --json tells what runs', async () => {
		const { status, stdout } = await tapestry(['lab', 'status', '--name', sharedLab().id, '--json']);
		expect(status).toBe(0);
		const report = JSON.parse(stdout);
		expect(report).toMatchObject({ state: 'up', nodes: ['n1', 'n2', 'n3'] });
		expect(report.programs.map(({ name }: { name: string }) => name)).toContain('n2-agent');
	});

	it('up again leaves a lab that runs as it is', async () => {
		// Not of all processes: some programs start others that end.
		const daemons = () => {
			const { central, node } = sharedLab();
			const files = [
				...['nb', 'sb', 'northd'].map((name) => join(central, `${name}.pid`)),
				...['n1', 'n2', 'n3'].flatMap((name) => ['ovs-vswitchd', 'ovn-controller'].map((one) => join(node(name).ovsDir, `${one}.pid`))),
			];
			return [labStatus(sharedLab()).programs, files.map((file) => readFileSync(file, 'utf8'))];
		};
		const before = daemons();
		const { status } = await tapestry(['lab', 'up', '--name', sharedLab().id]);
		expect(status).toBe(0);
		expect(daemons()).toEqual(before);
		expect(labStatus(sharedLab()).state).toBe('up');
	});

	it('up with another number of nodes is refused and changes nothing', async () => {
		const { status, stderr } = await tapestry(['lab', 'up', '--name', sharedLab().id, '--nodes', '2']);
		expect(status).toBe(1);
		expect(stderr).toMatch(/runs with 3 nodes \(n3 with DPDK\), not 2 nodes[\s\S]*fix: .*down/);
	});

	it('up with DPDK on another node, or on none of them, is refused', async () => {
		const up = (node: string) => tapestry(['lab', 'up', '--name', sharedLab().id, '--dpdk', node]);
		expect((await up('n2')).stderr).toContain('runs with 3 nodes (n3 with DPDK), not 3 nodes (n2 with DPDK)');
		expect((await up('n9')).stderr).toMatch(/node n9 cannot get DPDK[\s\S]*only n1, n2, n3/);
	});

	it('kubeconfig prints a path that kubectl takes', async () => {
		const { stdout } = await tapestry(['lab', 'kubeconfig', '--name', sharedLab().id]);
		const { stdout: nodes } = await execute(deps, { argv: ['kubectl', `--kubeconfig=${stdout.trim()}`, 'get', 'nodes', '-o', 'name'] });
		expect(nodes.trim().split('\n').sort()).toEqual(['node/n1', 'node/n2', 'node/n3']);
	});

	it('logs prints files that exist', async () => {
		const { stdout } = await tapestry(['lab', 'logs', '--name', sharedLab().id]);
		const files = stdout.trim().split('\n');
		expect(files.length).toBeGreaterThan(10);
		expect(files.filter((file) => !existsSync(file))).toEqual([]);
	});
});

describe('bad input', () => {
	it.each([
		[['lab', 'up', '--name', 'Not_A_Name'], /cannot name a lab/],
		[['lab', 'up', '--nodes', '0'], /1 to 64 nodes/],
		[['lab', 'exec', 'thing/x', '--', 'true'], /names no workload/],
		[['lab', 'exec', '--name', 'nothere', 'pod/x', '--', 'true'], /lab nothere is not up/],
	])('%j', async (args, message) => {
		const { status, stderr } = await tapestry(args);
		expect(status).not.toBe(0);
		expect(stderr).toMatch(message);
	});
});

describe('an `up` that was killed', () => {
	it.each([300, 900, 1800])('after %d ms is cleaned away by down', async (ms) => {
		const layout = labLayout(own);
		const child = spawn(process.execPath, [main, 'lab', 'up', '--name', own, '--nodes', '1'], { stdio: 'ignore' });
		setTimeout(() => child.kill('SIGKILL'), ms);
		await once(child, 'exit');
		const { status, stderr } = await tapestry(['lab', 'down', '--name', own]);
		expect(stderr).toBe('');
		expect(status).toBe(0);
		expect(labProcesses(layout)).toEqual([]);
		expect(existsSync(layout.dir)).toBe(false);
		expect(await netns()).not.toContain(layout.prefix);
	});

	it('is cleaned away by the next up, which then stands beside the other lab', async () => {
		const child = spawn(process.execPath, [main, 'lab', 'up', '--name', own, '--nodes', '1'], { stdio: 'ignore' });
		setTimeout(() => child.kill('SIGKILL'), 1200);
		await once(child, 'exit');
		const { status, stdout, stderr } = await tapestry(['lab', 'up', '--name', own, '--nodes', '1']);
		expect(stderr).toBe('');
		expect(status).toBe(0);
		expect(stdout.match(/^\[\d\/5\]/gm)).toHaveLength(5);
		expect((await tapestry(['lab', 'down', '--name', own])).status).toBe(0);
		expect(await netns()).not.toContain(labLayout(own).prefix);
	});
});
