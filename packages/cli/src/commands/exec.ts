import { execInWorkload, labLayout, openConsole, parseWorkload } from '@tapestry/lab';
import { Command } from 'commander';
import type { CliContext, LabOption } from '../context.ts';
import { labOption } from './lab-option.ts';

interface ExecOptions extends LabOption {
	readonly namespace: string;
}

/** `tapestry lab exec [-n NAMESPACE] pod/NAME|vm/NAME|node/NAME -- COMMAND`; ends with the command's own status. */
export function execCommand(context: CliContext): Command {
	return new Command('exec')
		.description('run a command in a pod (its network), in a virtual machine (over its serial line) or on a node')
		.addOption(labOption())
		.option('-n, --namespace <namespace>', 'namespace of the pod or virtual machine', 'default')
		.argument('<workload>', 'pod/NAME, vm/NAME or node/NAME')
		.argument('<command...>')
		.passThroughOptions()
		.action(async (workload: string, words: readonly string[], options: ExecOptions) => {
			// What is passed through begins with the `--` that separates it.
			const command = words[0] === '--' ? words.slice(1) : words;
			const target = { ...parseWorkload(workload), namespace: options.namespace };
			// With passThroughOptions commander hands on the separator too.
			const argv = command[0] === '--' ? command.slice(1) : command;
			context.exit(await execInWorkload(context, labLayout(options.name), target, argv, context.signal));
		});
}

/** `tapestry lab console vm/NAME` */
export function consoleCommand(context: CliContext): Command {
	return new Command('console')
		.description("a virtual machine's serial console; leave it with Ctrl-]")
		.addOption(labOption())
		.option('-n, --namespace <namespace>', 'namespace of the virtual machine', 'default')
		.argument('<workload>', 'vm/NAME')
		.action(async (workload: string, options: ExecOptions) => {
			await openConsole(labLayout(options.name), { ...parseWorkload(workload), namespace: options.namespace }, context.signal);
		});
}
