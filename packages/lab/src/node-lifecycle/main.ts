import { CodedError } from '@tapestry/base';
import { runProgram, systemClock } from '@tapestry/host';
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
		const { kubeconfig } = options;
		if (kubeconfig === undefined) throw new CodedError('FLAG_INVALID', { what: '--kubeconfig is missing', fix: 'give it the file to use' });
		const limits = {
			graceMs: milliseconds(options['node-monitor-grace-period']),
			evictMs: milliseconds(options['pod-eviction-timeout']),
		};
		const deps = { clock: systemClock, random: Math.random, log };
		using client = createKubeClient(deps, { kubeconfig });
		await runNodeLifecycle({ ...deps, client }, limits, signal, ready);
	},
});

function milliseconds(seconds: string): number {
	const value = Number(seconds);
	if (seconds.trim() !== '' && value >= 0) return value * 1000;
	throw new CodedError('FLAG_INVALID', { what: `"${seconds}" is not a number of seconds`, fix: 'give a number, such as 40' });
}
