import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { requiredFlag, runProgram, systemClock } from '@tapestry/host';
import { createEventRecorder, createKubeClient } from '@tapestry/kube';
import { keepNode } from './node-keeper.ts';
import type { NodeFacts } from './node-object.ts';
import { keepPods } from './pod-keeper.ts';

const launcher = fileURLToPath(new URL('../launcher/main.ts', import.meta.url));

await runProgram({
	name: 'kubelet',
	options: {
		kubeconfig: { type: 'string' },
		'api-socket': { type: 'string' },
		node: { type: 'string' },
		'node-ip': { type: 'string' },
		'cni-bin-dir': { type: 'string', default: '/opt/cni/bin' },
		'cni-conf-dir': { type: 'string', default: '/etc/cni/net.d' },
		state: { type: 'string' },
		guest: { type: 'string' },
	},
	async run({ options, log, signal, ready }) {
		const required = (flag: 'kubeconfig' | 'node' | 'node-ip' | 'state' | 'guest'): string => requiredFlag(flag, options[flag]);
		const kubeconfig = required('kubeconfig');
		const node = required('node');
		const state = required('state');
		const ips = required('node-ip').split(',');
		const apiSocket = options['api-socket'];
		const basis = { clock: systemClock, random: Math.random, log };
		using client = createKubeClient(basis, { kubeconfig, socketPath: apiSocket });
		const recorder = createEventRecorder({ ...basis, client }, { component: 'kubelet' });
		const facts: NodeFacts = {
			name: node,
			ips,
			cpus: availableParallelism(),
			memoryBytes: totalmem(),
			kernelVersion: release(),
			osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '',
		};
		const api = [`--kubeconfig=${kubeconfig}`, ...(apiSocket ? [`--api-socket=${apiSocket}`] : [])];
		const podOptions = {
			node,
			hostIps: ips,
			cniBinDir: options['cni-bin-dir'],
			cniConfDir: options['cni-conf-dir'],
			state,
			launcher: [process.execPath, '--disable-warning=ExperimentalWarning', launcher, ...api, `--guest=${required('guest')}`],
		};
		const deps = { ...basis, client, recorder, env: process.env, newId: () => randomBytes(32).toString('hex') };
		const waiting = new Set(['node', 'pods']);
		const done = (part: string): void => {
			if (waiting.delete(part) && waiting.size === 0) ready();
		};
		await Promise.all([keepNode(deps, facts, signal, () => done('node')), keepPods(deps, podOptions, signal, () => done('pods'))]);
		await recorder.flush();
	},
});
