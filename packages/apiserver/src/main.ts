import { cidrsFlag, hostPortFlag, requiredFlag, runProgram, systemClock } from '@tapestry/host';
import { startApiServer } from './server.ts';

await runProgram({
	name: 'apiserver',
	options: {
		data: { type: 'string' },
		listen: { type: 'string', default: '127.0.0.1:6443' },
		unix: { type: 'string' },
		'kubeconfig-out': { type: 'string' },
		advertise: { type: 'string' },
		'service-cidr': { type: 'string', default: '10.96.0.0/16' },
		san: { type: 'string', multiple: true },
		'exec-hint': { type: 'string' },
	},
	async run({ options, log, stopped, ready }) {
		const advertise = options.advertise === undefined ? {} : { advertise: hostPortFlag('advertise', options.advertise) };
		const server = await startApiServer(
			{ clock: systemClock, log, random: Math.random },
			{
				data: requiredFlag('data', options.data),
				listen: hostPortFlag('listen', options.listen),
				...advertise,
				...(options.unix === undefined ? {} : { unix: options.unix }),
				...(options['kubeconfig-out'] === undefined ? {} : { kubeconfigOut: options['kubeconfig-out'] }),
				serviceCidrs: cidrsFlag('service-cidr', options['service-cidr']),
				names: options.san ?? [],
				...(options['exec-hint'] === undefined ? {} : { execHint: options['exec-hint'] }),
			},
		);
		ready();
		await stopped;
		await server.close();
	},
});
