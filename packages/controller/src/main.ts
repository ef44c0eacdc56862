import { cidrsFlag, hostPortFlag, numberFlag, requiredFlag, runProgram, systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { defaultNames } from '@tapestry/network';
import { connect } from '@tapestry/ovsdb';
import { runController } from './controller.ts';

await runProgram({
	name: 'controller',
	options: {
		kubeconfig: { type: 'string' },
		'api-socket': { type: 'string' },
		nb: { type: 'string' },
		id: { type: 'string' },
		'default-cidr': { type: 'string', default: '10.16.0.0/16,fd00:10:16::/112' },
		'join-cidr': { type: 'string', default: '100.64.0.0/16,fd00:100:64::/112' },
		'service-cidr': { type: 'string', default: '10.96.0.0/16' },
		mtu: { type: 'string', default: '1442' },
		webhook: { type: 'string' },
	},
	async run({ options, log, signal, ready }) {
		const deps = { clock: systemClock, random: Math.random, log };
		using client = createKubeClient(deps, {
			kubeconfig: requiredFlag('kubeconfig', options.kubeconfig),
			socketPath: options['api-socket'],
		});
		await using session = connect(deps, { endpoint: requiredFlag('nb', options.nb) });
		await runController(
			{ ...deps, client, session },
			{
				id: requiredFlag('id', options.id),
				defaultVpc: defaultNames.vpc,
				defaultSubnet: defaultNames.subnet,
				joinSubnet: defaultNames.joinSubnet,
				defaultCidr: options['default-cidr'],
				joinCidr: options['join-cidr'],
				serviceCidrs: cidrsFlag('service-cidr', options['service-cidr']),
				mtu: numberFlag('mtu', options.mtu, { min: 68 }),
				...(options.webhook === undefined ? {} : { webhook: hostPortFlag('webhook', options.webhook) }),
			},
			signal,
			ready,
		);
	},
});
