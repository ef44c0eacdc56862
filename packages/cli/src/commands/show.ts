import { formatPortPath, labLayout, parseWorkload, portPath } from '@tapestry/lab';
import { Command } from 'commander';
import type { CliContext, LabOption } from '../context.ts';
import { labOption } from './lab-option.ts';

interface ShowOptions extends LabOption {
	readonly namespace: string;
	readonly json: boolean;
}

/** `tapestry show port [-n NAMESPACE] [--json] vm/NAME|pod/NAME`; the exit status is 1 when something does not fit. */
export function showCommand(context: CliContext): Command {
	return new Command('show').description('what the network is made of').addCommand(
		new Command('port')
			.description('the way of a packet from a pod or virtual machine into its VPC, hop by hop')
			.addOption(labOption())
			.option('-n, --namespace <namespace>', 'namespace of the pod or virtual machine', 'default')
			.option('--json', 'one JSON document', false)
			.argument('<workload>', 'pod/NAME or vm/NAME')
			.action(async (text: string, options: ShowOptions) => {
				const workload = { ...parseWorkload(text), namespace: options.namespace };
				const path = await portPath(context, labLayout(options.name), workload, context.signal);
				context.write(options.json ? `${JSON.stringify(path, undefined, 2)}\n` : `${formatPortPath(path)}\n`);
				context.exit(path.faults.length === 0 ? 0 : 1);
			}),
	);
}
