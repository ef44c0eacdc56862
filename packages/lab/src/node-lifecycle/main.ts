import { numberFlag, requiredFlag, runProgram, systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { runNodeLifecycle } from './node-lifecycle.ts';

await runProgram({
	name: 'node-lifecycle',
	options: {
		kubeconfig: { type: 'string' },
		// Seconds; names and defaults of kube-controller-manager.
		'node-monitor-grace-period': { type: 'string', default: '40' },
		'pod-eviction-timeout': { type: 'string', default: '300' },
	},
	async run({ options, log, signal, ready }) {
		const milliseconds = (flag: 'node-monitor-grace-period' | 'pod-eviction-timeout'): number =>
			numberFlag(flag, options[flag], { min: 0, decimals: true }) * 1000;
		const limits = { graceMs: milliseconds('node-monitor-grace-period'), evictMs: milliseconds('pod-eviction-timeout') };
		const deps = { clock: systemClock, random: Math.random, log };
		using client = createKubeClient(deps, { kubeconfig: requiredFlag('kubeconfig', options.kubeconfig) });
		await runNodeLifecycle({ ...deps, client }, limits, signal, ready);
	},
});
