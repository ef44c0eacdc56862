import { describe, expect, it } from 'vitest';
import { formatCrashReport } from './report.ts';

const calm = { longestGapMs: 21.4, lost: 0, answering: true };

describe('formatCrashReport', () => {
	const text = formatCrashReport({
		intervalMs: 20,
		node: 'n1',
		flows: { 'web -> api': 'pod -> pod, same node IPv4', 'vm -> web': 'vm -> pod, other node IPv4' },
		undisturbed: { 'web -> api': calm, 'vm -> web': calm },
		kills: [
			{ killed: 'controller', backAfterMs: 2612.3, flows: { 'web -> api': calm, 'vm -> web': calm } },
			{
				killed: 'ovs-vswitchd of n1',
				backAfterMs: 700,
				flows: {
					'web -> api': { longestGapMs: 1800, lost: 90, answering: true },
					'vm -> web': { longestGapMs: 30000, lost: 0, answering: false },
				},
			},
		],
	});
	const lines = text.split('\n');

	it('has a row for the undisturbed flows and for each kill, with a cell for each flow', () => {
		expect(lines.slice(2, 6).map((line) => line.split(/ {2,}/))).toEqual([
			['KILLED', 'web -> api', 'vm -> web', 'BACK AFTER'],
			['(nothing)', '21 ms, 0 lost', '21 ms, 0 lost', '-'],
			['controller', '21 ms, 0 lost', '21 ms, 0 lost', '2612 ms'],
			['ovs-vswitchd of n1', '1800 ms, 90 lost', '30000 ms, 0 lost, SILENT', '700 ms'],
		]);
	});

	it('says what each flow is, and what the row of the datapath means', () => {
		expect(lines).toContain('vm -> web: vm -> pod, other node IPv4');
		expect(text).toMatch(/userspace.*forwards nothing/);
	});
});
