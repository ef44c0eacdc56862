import { startExample } from '@tapestry/lab';
import { Command } from 'commander';
import type { CliContext, LabOption } from '../context.ts';
import { deniedCell } from '../why/denied-cell.ts';
import { labOption } from './lab-option.ts';
import { bringUp } from './up.ts';

/** `npm start`: a lab of three nodes with the example in it, and the proof that its pods and its virtual machine talk. */
export function startCommand(context: CliContext): Command {
	return new Command('start')
		.description('bring the lab up, apply examples/demo and show pods and a virtual machine talking')
		.addOption(labOption())
		.action(async (lab: LabOption) => {
			const { layout, steps } = await bringUp(context, { ...lab, nodes: 3 }, { total: 6 });
			const { workloads, proof } = await startExample(context, layout, steps, context.signal);
			context.write(`\n${workloads}\n\n${proof}\n\n${await deniedCell(context, layout)}\n\n`);
			const name = layout.id === 'lab' ? '' : ` --name ${layout.id}`;
			context.write(`export KUBECONFIG=${layout.kubeconfig}\n`);
			context.write(
				`npm run lab -- exec${name} -n demo pod/web -- ping -c 3 ${'$'}(kubectl get pod -n demo cache -o jsonpath={.status.podIP})\n`,
			);
			context.write(`npm run lab -- down${name}\n`);
		});
}
