import { type Cidr, CodedError, parseCidr } from '@tapestry/base';
import { runProgram, systemClock } from '@tapestry/host';
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
		const { 'api-socket': socketPath } = options;
		using client = createKubeClient(deps, {
			kubeconfig: required('kubeconfig', options.kubeconfig),
			...(socketPath === undefined ? {} : { socketPath }),
		});
		await using session = connect(deps, { endpoint: required('nb', options.nb) });
		await runController(
			{ ...deps, client, session },
			{
				id: required('id', options.id),
				defaultVpc: defaultNames.vpc,
				defaultSubnet: defaultNames.subnet,
				joinSubnet: defaultNames.joinSubnet,
				defaultCidr: options['default-cidr'],
				joinCidr: options['join-cidr'],
				serviceCidrs: options['service-cidr'].split(',').map(readCidr),
				mtu: Number(options.mtu),
				...(options.webhook === undefined ? {} : { webhook: readHostPort(options.webhook) }),
			},
			signal,
			ready,
		);
	},
});

function required(flag: string, value: string | undefined): string {
	if (value !== undefined) return value;
	throw new CodedError('USAGE', { what: `--${flag} is missing`, fix: `start the controller with --${flag}` });
}

function readCidr(text: string): Cidr {
	const cidr = parseCidr(text);
	if (cidr) return cidr;
	throw new CodedError('USAGE', { what: `--service-cidr ${text} is not a block of addresses`, fix: 'write it like 10.96.0.0/16' });
}

function readHostPort(text: string): { readonly host: string; readonly port: number } {
	const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
	const host = match?.[1] ?? match?.[2];
	if (host !== undefined) return { host, port: Number(match?.[3]) };
	throw new CodedError('USAGE', {
		what: `--webhook ${text} is not IP:PORT`,
		fix: 'write 10.0.0.5:9443 or [fd00::5]:9443; port 0 is any free one',
	});
}
