import { labLayout, logFiles, removeLab } from '@tapestry/lab';
import { Command, InvalidArgumentError } from 'commander';
import type { CliContext, LabOption } from '../context.ts';
import { demoCommand } from './demo.ts';
import { consoleCommand, execCommand } from './exec.ts';
import { labOption } from './lab-option.ts';
import { statusCommand } from './status.ts';
import { bringUp } from './up.ts';

/** `tapestry lab ...` */
export function labCommand(context: CliContext): Command {
	const lab = new Command('lab')
		.description('a cluster on this machine: Kubernetes API, OVN, nodes, pods, virtual machines')
		.enablePositionalOptions();
	lab
		.command('up')
		.description('bring the lab up; what a killed "up" left is removed first')
		.addOption(labOption())
		.option('--nodes <count>', 'how many nodes', parseCount, 3)
		.option('--dpdk <nodes>', 'names of nodes whose Open vSwitch has DPDK, for machines by vhost-user', parseNames)
		.action(async (options: LabOption & { readonly nodes: number; readonly dpdk?: readonly string[] }) => {
			await bringUp(context, options, { total: 5 });
		});
	lab
		.command('down')
		.description('end the lab and remove all that it made; Debian packages stay')
		.addOption(labOption())
		.action((options: LabOption) => removeLab(context, labLayout(options.name)));
	lab
		.command('kubeconfig')
		.description('print the path of the kubeconfig file')
		.addOption(labOption())
		.action((options: LabOption) => context.write(`${labLayout(options.name).kubeconfig}\n`));
	lab
		.command('logs')
		.description('print the paths of the log files')
		.addOption(labOption())
		.action((options: LabOption) => {
			for (const file of logFiles(labLayout(options.name))) context.write(`${file}\n`);
		});
	return lab
		.addCommand(statusCommand(context))
		.addCommand(execCommand(context))
		.addCommand(consoleCommand(context))
		.addCommand(demoCommand(context));
}

function parseCount(text: string): number {
	const count = Number(text);
	// A node's number is the last octet of its underlay address; .254 is the world outside.
	if (!Number.isInteger(count) || count < 1 || count > 64) throw new InvalidArgumentError('A lab has 1 to 64 nodes.');
	return count;
}

function parseNames(text: string): readonly string[] {
	return text.split(',').map((name) => name.trim());
}
