import { type Cidr, CodedError, parseCidr } from '@tapestry/base';
import { runProgram, systemClock } from '@tapestry/host';
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
	async run({ options, log, signal, ready }) {
		const { kubeconfig, node, ovsdb, socket, state } = options;
		if (!kubeconfig || !node || !ovsdb) {
			throw new CodedError('USAGE', { what: 'the agent needs --kubeconfig, --node and --ovsdb', fix: 'give them' });
		}
		const mtu = Number(options.mtu);
		if (!Number.isInteger(mtu) || mtu < 68)
			throw new CodedError('USAGE', { what: `"${options.mtu}" is no MTU`, fix: 'give a number such as 1442' });
		const deps = { clock: systemClock, random: Math.random, log };
		const socketPath = options['api-socket'];
		using client = createKubeClient(deps, { kubeconfig, ...(socketPath ? { socketPath } : {}) });
		await using session = connect(deps, { endpoint: ovsdb });
		const serviceCidrs = options['service-cidr'].split(',').map(cidr);
		const hasVirtHandler = options['virt-handler'];
		const rest = { node, socket, state, mtu, serviceCidrs, hasVirtHandler, kata: options['kata-dans'] };
		await using _agent = await startAgent({ ...deps, client, session }, rest, signal);
		ready();
		await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
	},
});

function cidr(text: string): Cidr {
	const parsed = parseCidr(text.trim());
	if (!parsed) throw new CodedError('USAGE', { what: `--service-cidr "${text}" is no block`, fix: 'write 10.96.0.0/16' });
	return parsed;
}
