import { crashDemo, formatCrashReport, labLayout } from '@tapestry/lab';
import { Command } from 'commander';
import type { CliContext, LabOption } from '../context.ts';
import { labOption } from './lab-option.ts';

/** `tapestry lab demo crash [--json]` */
export function demoCommand(context: CliContext): Command {
	return new Command('demo').description('demonstrations').addCommand(
		new Command('crash')
			.description('kill the control plane, then the datapath, program by program while pings run; what the pings saw')
			.addOption(labOption())
			.option('--json', 'one JSON document', false)
			.action(async (options: LabOption & { readonly json: boolean }) => {
				// What is under way goes to standard error, so that the document stands alone.
				const deps = { env: context.env, clock: context.clock, write: (text: string) => context.writeError(text) };
				const report = await crashDemo(deps, labLayout(options.name), context.signal);
				context.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : `${formatCrashReport(report)}\n`);
			}),
	);
}
