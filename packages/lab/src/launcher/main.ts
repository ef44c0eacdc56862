import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { isCoded } from '@tapestry/base';
import { launcherModeVariable, requiredFlag, runProgram, systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { type VirtualMachineInstance, virtualMachineInstanceResource } from '@tapestry/network';
import { readAccelerator } from '../guest/accelerator.ts';
import { guestImage } from '../guest/image.ts';
import { timeStampCounterKhz } from '../guest/time-stamp-counter.ts';
import { chooseHypervisor } from './choose-hypervisor.ts';
import { guestArguments } from './config.ts';
import { prepareDisks } from './disks/prepare.ts';
import { vmFiles } from './files.ts';
import { startMachineHooks } from './hooks/sidecars.ts';
import { machineOf } from './machine.ts';
import type { MachineNic } from './nics.ts';
import { hostNic, type PodNic, podNic } from './pod-nic.ts';
import { prepareNic } from './prepare-nic.ts';
import { reportFailure } from './report.ts';
import { checkShares } from './shares/virtiofsd.ts';
import { runVirtualMachine } from './virtual-machine.ts';

/** Processors that a machine may have although the node has fewer: its NIC can have as many queues. */
const leastCpuLimit = 8;
/** How long the agent may take to make the tap, in milliseconds: the lease and the flows have to come. */
const tapPatienceMs = 60_000;

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
		// The pod is in the node's own network namespace.
		'host-network': { type: 'boolean', default: false },
	},
	async run({ options, log, signal, ready }) {
		const required = (flag: 'kubeconfig' | 'vmi' | 'guest' | 'state'): string => requiredFlag(flag, options[flag]);
		const guest = required('guest');
		const state = required('state');
		const machineName = { namespace: options.namespace, name: required('vmi') };
		using client = createKubeClient(
			{ clock: systemClock, random: Math.random },
			{ kubeconfig: required('kubeconfig'), socketPath: options['api-socket'] },
		);
		const instance = await client.get<VirtualMachineInstance>(virtualMachineInstanceResource, machineName, { signal });
		try {
			await launch(instance);
		} catch (error) {
			if (isCoded(error)) await reportFailure({ client, clock: systemClock }, instance, error);
			throw error;
		}

		function findNic(nic: MachineNic, hostname: string, of: VirtualMachineInstance): PodNic | Promise<PodNic> {
			if (!options['host-network']) return podNic(nic, hostname);
			return hostNic(nic, of.metadata.uid ?? '', AbortSignal.any([signal, AbortSignal.timeout(tapPatienceMs)]));
		}

		async function launch(of: VirtualMachineInstance): Promise<void> {
			const machine = machineOf(of, {
				cpus: Math.max(leastCpuLimit, availableParallelism()),
				memoryMiB: Math.floor(totalmem() / 2 ** 21),
			});
			const deps = { env: process.env };
			const image = guestImage(guest);
			const accelerator = readAccelerator(image);
			checkShares(machine.shares);
			await using stack = new AsyncDisposableStack();
			const environment = markers();
			const pod = machine.nic && (await findNic(machine.nic, machine.hostname, of));
			const emulated = accelerator === 'tcg';
			const nic = pod && (await prepareNic({ ...deps, log }, pod, { directory: state, environment, emulated, signal, stack }));
			const ofSidecars = pod?.mode === 'tap' ? { ...environment, [launcherModeVariable]: pod.mode } : environment;
			const sidecars = { directory: join(state, 'hooks'), environment: ofSidecars, signal, stack, nic };
			const hooks = await startMachineHooks({ ...deps, clock: systemClock }, machine.hooks, of, sidecars);
			const hypervisor = chooseHypervisor(deps, machine.hypervisor, nic, hooks?.domain);
			log.info('starting the virtual machine', { pod: options.pod, ...machine, mode: pod?.mode, accelerator, hypervisor: hypervisor.name });
			const config = {
				name: `${machine.namespace}_${machine.name}`,
				cpus: machine.cpus,
				memoryMiB: machine.memoryMiB,
				accelerator,
				image,
				kernelArguments: guestArguments(machine, emulated ? await timeStampCounterKhz(deps, image) : undefined),
				files: vmFiles(state),
				nic,
				disks: await prepareDisks(deps, await (hooks?.cloudInit(machine.disks) ?? machine.disks), {
					directory: join(state, 'disks'),
					signal,
				}),
				shares: machine.shares,
				environment,
			};
			const { graceSeconds } = machine;
			await runVirtualMachine({ clock: systemClock, log, hypervisor }, { config, graceSeconds, onRunning: ready, signal });
		}
	},
});

/** By these variables the lab and the kubelet know what is theirs. */
function markers(): Readonly<Record<string, string>> {
	const entries = Object.entries(process.env).filter(([name]) => name.startsWith('TAPESTRY_'));
	return Object.fromEntries(entries.map(([name, value = '']) => [name, value]));
}
