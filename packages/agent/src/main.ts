import { cidrsFlag, numberFlag, requiredFlag, runProgram, systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { connect } from '@tapestry/ovsdb';
import { startAgent } from './agent.ts';
import { defaultSocket } from './cni/call.ts';
import { kataDirectory } from './kata/attachment-files.ts';

await runProgram({
	name: 'agent',
	options: {
		kubeconfig: { type: 'string' },
		'api-socket': { type: 'string' },
		node: { type: 'string' },
		ovsdb: { type: 'string' },
		socket: { type: 'string', default: defaultSocket },
		state: { type: 'string', default: '/run/tapestry' },
		mtu: { type: 'string', default: '1442' },
		// On a node of KubeVirt: its virt-handler makes the devices of KubeVirt's own bindings.
		'virt-handler': { type: 'boolean', default: false },
		'kata-dans': { type: 'string', default: kataDirectory },
		// Of each family one; what the node reaches through the default VPC beside its subnets.
		'service-cidr': { type: 'string', default: '10.96.0.0/16' },
	},
	async run({ options, log, signal, stopped, ready }) {
		const deps = { clock: systemClock, random: Math.random, log };
		const { socket, state } = options;
		const settings = {
			...{ socket, state, hasVirtHandler: options['virt-handler'], kata: options['kata-dans'] },
			node: requiredFlag('node', options.node),
			mtu: numberFlag('mtu', options.mtu, { min: 68 }),
			serviceCidrs: cidrsFlag('service-cidr', options['service-cidr']),
		};
		using client = createKubeClient(deps, {
			kubeconfig: requiredFlag('kubeconfig', options.kubeconfig),
			socketPath: options['api-socket'],
		});
		await using session = connect(deps, { endpoint: requiredFlag('ovsdb', options.ovsdb) });
		await using _agent = await startAgent({ ...deps, client, session }, settings, signal);
		ready();
		await stopped;
	},
});
