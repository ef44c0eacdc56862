import { type Cidr, CodedError, parseCidr } from '@tapestry/base';
import { runProgram, systemClock } from '@tapestry/host';
import { type HostPort, startApiServer } from './server.ts';

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
	async run({ options, log, signal, ready }) {
		if (options.data === undefined) throw flagError('--data', 'it is missing', 'name the directory that objects and keys are kept in');
		const advertise = options.advertise === undefined ? {} : { advertise: hostPort('--advertise', options.advertise) };
		const server = await startApiServer(
			{ clock: systemClock, log, random: Math.random },
			{
				data: options.data,
				listen: hostPort('--listen', options.listen),
				...advertise,
				...(options.unix === undefined ? {} : { unix: options.unix }),
				...(options['kubeconfig-out'] === undefined ? {} : { kubeconfigOut: options['kubeconfig-out'] }),
				serviceCidrs: options['service-cidr'].split(',').map(cidr),
				names: options.san ?? [],
				...(options['exec-hint'] === undefined ? {} : { execHint: options['exec-hint'] }),
			},
		);
		ready();
		if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
		await server.close();
	},
});

function hostPort(flag: string, text: string): HostPort {
	const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
	const host = match?.[1] ?? match?.[2];
	if (host === undefined) throw flagError(flag, `"${text}" is not IP:PORT`, 'write 127.0.0.1:6443 or [::1]:6443');
	return { host, port: Number(match?.[3]) };
}

function cidr(text: string): Cidr {
	const parsed = parseCidr(text);
	if (!parsed) throw flagError('--service-cidr', `"${text}" is not ADDRESS/PREFIX`, 'write 10.96.0.0/16');
	return parsed;
}

function flagError(flag: string, why: string, fix: string): CodedError {
	return new CodedError('FLAG_INVALID', { what: `cannot use ${flag}`, why, fix });
}
