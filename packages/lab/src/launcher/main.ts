import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { CodedError, isCoded } from '@tapestry/base';
import { runProgram, systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { type VirtualMachineInstance, virtualMachineInstanceResource } from '@tapestry/network';
import { readAccelerator } from '../guest/accelerator.ts';
import { guestImage } from '../guest/image.ts';
import { serveAddresses } from './addresses/serve-addresses.ts';
import { chooseHypervisor } from './choose-hypervisor.ts';
import { guestArguments } from './config.ts';
import { prepareDisks } from './disks/prepare.ts';
import { vmFiles } from './files.ts';
import { machineOf } from './machine.ts';
import { podNic } from './pod-nic.ts';
import { reportFailure } from './report.ts';
import { checkShares } from './shares/virtiofsd.ts';
import { runVirtualMachine } from './virtual-machine.ts';

/** Processors that a machine may have although the node has fewer: its NIC can have as many queues. */
const leastCpuLimit = 8;

await runProgram({
	name: 'launcher',
	options: {
		kubeconfig: { type: 'string' },
		'api-socket': { type: 'string' },
		namespace: { type: 'string', default: 'default' },
		vmi: { type: 'string' },
		pod: { type: 'string' },
		guest: { type: 'string' },
		state: { type: 'string' },
	},
	async run({ options, log, signal, ready }) {
		const { kubeconfig, namespace, vmi, guest, state } = options;
		if (!kubeconfig || !vmi || !guest || !state) {
			throw new CodedError('LAUNCHER_FLAGS', 'the launcher needs --kubeconfig, --vmi, --guest and --state');
		}
		const socketPath = options['api-socket'];
		using client = createKubeClient({ clock: systemClock, random: Math.random }, { kubeconfig, ...(socketPath ? { socketPath } : {}) });
		const instance = await client.get<VirtualMachineInstance>(virtualMachineInstanceResource, { namespace, name: vmi }, { signal });
		try {
			await launch(instance);
		} catch (error) {
			if (isCoded(error)) await reportFailure({ client, clock: systemClock }, instance, error);
			throw error;
		}

		async function launch(of: VirtualMachineInstance): Promise<void> {
			const machine = machineOf(of, {
				cpus: Math.max(leastCpuLimit, availableParallelism()),
				memoryMiB: Math.floor(totalmem() / 2 ** 21),
			});
			const deps = { env: process.env };
			const hypervisor = chooseHypervisor(deps, machine.hypervisor);
			const image = guestImage(guest ?? '');
			const accelerator = readAccelerator(image);
			log.info('starting the virtual machine', { pod: options.pod, ...machine, accelerator, hypervisor: hypervisor.name });
			checkShares(machine.shares);
			const config = {
				name: `${machine.namespace}_${machine.name}`,
				cpus: machine.cpus,
				memoryMiB: machine.memoryMiB,
				accelerator,
				image,
				kernelArguments: guestArguments(machine),
				files: vmFiles(state ?? ''),
				nic: machine.nic && podNic(machine.nic, machine.hostname),
				disks: await prepareDisks(deps, machine.disks, { directory: join(state ?? '', 'disks'), signal }),
				shares: machine.shares,
				environment: markers(),
			};
			const { graceSeconds } = machine;
			await using stack = new AsyncDisposableStack();
			const addresses = config.nic?.addresses;
			if (addresses) {
				const directory = join(state ?? '', 'addresses');
				stack.use(await serveAddresses({ ...deps, log }, addresses, { directory, environment: config.environment, signal }));
			}
			await runVirtualMachine({ clock: systemClock, log, hypervisor }, { config, graceSeconds, onRunning: ready, signal });
		}
	},
});

/** By these variables the lab and the kubelet know what is theirs. */
function markers(): Readonly<Record<string, string>> {
	const entries = Object.entries(process.env).filter(([name]) => name.startsWith('TAPESTRY_'));
	return Object.fromEntries(entries.map(([name, value = '']) => [name, value]));
}
