import { formatTable } from '../proof/table.ts';
import type { CrashReport } from './crash.ts';
import type { FlowMeasure } from './gap.ts';

/** What the userspace datapath costs, and how the figures are to be read. */
const notes = [
	'A gap is the longest time without an answer, by time stamps (a VM’s by the arrival of its lines over the serial console). A send that',
	'fails takes no sequence number, so where the two disagree the gap is right. Starting a program takes a processor: on a small machine that',
	'alone delays answers by some tens of milliseconds.',
	'ovs-vswitchd is this lab’s datapath: its bridges are of type netdev, in userspace. While it is dead its node forwards nothing, so its row',
	'shows a true outage, which no controller can prevent. The other programs only change the network; traffic does not need them.',
];

/** The report for people: a table with a row for each kill, and how to read it. */
export function formatCrashReport(report: CrashReport): string {
	const names = Object.keys(report.flows);
	const row = (killed: string, flows: Readonly<Record<string, FlowMeasure>>, back: string) => [
		killed,
		...names.map((name) => cell(flows[name])),
		back,
	];
	return [
		`Pings every ${report.intervalMs} ms; killed with SIGKILL one after another: longest gap, packets lost.`,
		'',
		formatTable([
			['KILLED', ...names, 'BACK AFTER'],
			row('(nothing)', report.undisturbed, '-'),
			...report.kills.map(({ killed, flows, backAfterMs }) => row(killed, flows, `${Math.round(backAfterMs)} ms`)),
		]),
		'',
		...names.map((name) => `${name}: ${report.flows[name]}`),
		'',
		...notes,
	].join('\n');
}

function cell(measure: FlowMeasure | undefined): string {
	if (!measure) return '-';
	const { longestGapMs, lost, answering } = measure;
	return `${Math.round(longestGapMs)} ms, ${lost} lost${answering ? '' : ', SILENT'}`;
}
