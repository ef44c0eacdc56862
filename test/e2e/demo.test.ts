import type { CrashReport } from '@tapestry/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteExample, sharedLab, tapestry } from './harness/lab.ts';

/** Each of the first four stays dead for 2000 ms: a flow that needed it would be silent for longer than this. */
const needsItMs = 1500;

let report: CrashReport;
beforeAll(async () => {
	const { status, stdout, stderr } = await tapestry(['lab', 'demo', 'crash', '--name', sharedLab().id, '--json'], { timeoutMs: 280_000 });
	expect(stderr).toMatch(/killing ovs-vswitchd/);
	expect(status).toBe(0);
	report = JSON.parse(stdout) as CrashReport;
});
afterAll(() => deleteExample('demo'));

describe('demo crash', () => {
	it('has a row for each program and a measure for each flow', () => {
		expect(report.kills.map(({ killed }) => killed)).toEqual([
			'controller',
			'agent of n1',
			'ovn-northd',
			'ovn-controller of n1',
			'ovs-vswitchd of n1',
		]);
		const flows = Object.keys(report.flows);
		expect(Object.values(report.flows)).toEqual(expect.arrayContaining(['vm -> pod, other node IPv4', 'pod -> pod, same node IPv4']));
		for (const measures of [report.undisturbed, ...report.kills.map((kill) => kill.flows)]) expect(Object.keys(measures)).toEqual(flows);
	});

	it.each([0, 1, 2])('traffic does not need what kill %d takes', (index) => {
		const kill = report.kills[index];
		expect(kill?.backAfterMs).toBeGreaterThan(needsItMs);
		for (const [flow, { longestGapMs, lost, answering }] of Object.entries(kill?.flows ?? {})) {
			expect(answering, flow).toBe(true);
			expect(longestGapMs, flow).toBeLessThan(needsItMs);
			expect(lost, flow).toBeLessThan(10);
		}
	});

	it('shows that a dead userspace datapath forwards nothing, and that all flows come back', () => {
		const flows = Object.values(report.kills.at(-1)?.flows ?? {});
		expect(flows).toHaveLength(4);
		for (const { longestGapMs, lost, answering } of flows) {
			expect(answering).toBe(true);
			expect(longestGapMs).toBeGreaterThan(400);
			expect(lost).toBeGreaterThan(0);
		}
	});

	it('leaves a whole lab', async () => {
		expect((await tapestry(['lab', 'status', '--name', sharedLab().id])).status).toBe(0);
	});
});
