import { CodedError } from '@tapestry/base';
import { runProgram, systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { runControllerManager } from './controller-manager.ts';

await runProgram({
	name: 'controller-manager',
	options: { kubeconfig: { type: 'string' } },
	async run({ options, log, signal, ready }) {
		const { kubeconfig } = options;
		if (kubeconfig === undefined) throw new CodedError('FLAG_INVALID', { what: '--kubeconfig is missing', fix: 'give it the file to use' });
		const deps = { clock: systemClock, random: Math.random, log };
		using client = createKubeClient(deps, { kubeconfig });
		await runControllerManager({ ...deps, client }, signal, ready);
	},
});
