import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { labCommand } from './lab.ts';
import { showCommand } from './show.ts';
import { startCommand } from './start.ts';
import { whyCommand } from './why.ts';

/** The whole command line. */
export function createProgram(context: CliContext): Command {
	return new Command('tapestry')
		.description('One network for Kubernetes virtual machines and containers, on real OVN and Open vSwitch.')
		.configureOutput({ writeOut: (text) => context.write(text), writeErr: (text) => context.writeError(text) })
		.enablePositionalOptions()
		.addCommand(startCommand(context))
		.addCommand(labCommand(context))
		.addCommand(showCommand(context))
		.addCommand(whyCommand(context));
}
