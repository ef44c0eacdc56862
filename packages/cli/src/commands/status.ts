import { formatTable, labLayout, labStatus } from '@tapestry/lab';
import { Command } from 'commander';
import type { CliContext, LabOption } from '../context.ts';
import { labOption } from './lab-option.ts';

/** `tapestry lab status [--json]`; the exit status is 1 when something that belongs to the lab does not run. */
export function statusCommand(context: CliContext): Command {
	return new Command('status')
		.description('what runs and what does not')
		.addOption(labOption())
		.option('--json', 'one JSON document', false)
		.action((options: LabOption & { readonly json: boolean }) => {
			const status = labStatus(labLayout(options.name));
			if (options.json) context.write(`${JSON.stringify(status, undefined, 2)}\n`);
			else if (status.state === 'down') context.write(`lab ${status.id} is down; bring it up with: npm run lab -- up\n`);
			else {
				const rows = status.programs.map(({ name, pid, log }) => [name, pid === undefined ? 'not running' : `pid ${pid}`, log]);
				context.write(`lab ${status.id}: ${status.state}\n${formatTable([['PROGRAM', 'STATE', 'LOG'], ...rows])}\n`);
			}
			context.exit(status.state === 'up' ? 0 : 1);
		});
}
