import { requiredFlag, runProgram, systemClock } from '@tapestry/host';
import { createKubeClient, type KubeDeps } from '@tapestry/kube';

/** Runs a program that knows the Kubernetes API and nothing else. Called by main.ts files only. */
export function runControlPlaneProgram(
	name: string,
	run: (deps: KubeDeps, signal: AbortSignal, ready: () => void) => Promise<void>,
): Promise<void> {
	return runProgram({
		name,
		options: { kubeconfig: { type: 'string' } },
		async run({ options, log, signal, ready }) {
			const deps = { clock: systemClock, random: Math.random, log };
			using client = createKubeClient(deps, { kubeconfig: requiredFlag('kubeconfig', options.kubeconfig) });
			await run({ ...deps, client }, signal, ready);
		},
	});
}
