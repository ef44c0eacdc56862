import { availableParallelism, totalmem } from 'node:os';
import { CodedError } from '@tapestry/base';
import { runProgram, systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { getLink, openRoute } from '@tapestry/linux';
import { type VirtualMachineInstance, virtualMachineInstanceResource } from '@tapestry/network';
import { readAccelerator } from '../guest/accelerator.ts';
import { guestImage } from '../guest/image.ts';
import { vmFiles } from './files.ts';
import { machineOf } from './machine.ts';
import { type Nic, qemuArguments } from './qemu.ts';
import { runVirtualMachine } from './virtual-machine.ts';

/** KubeVirt's user of QEMU; the taps that the agent makes belong to it. */
const qemuUser = '107:107';

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
		const machine = machineOf(instance, { cpus: availableParallelism(), memoryMiB: Math.floor(totalmem() / 2 ** 21) });
		const files = vmFiles(state);
		const image = guestImage(guest);
		const accelerator = readAccelerator(image);
		log.info('starting the virtual machine', { pod: options.pod, ...machine, accelerator });
		const qemu = qemuArguments(machine, { accelerator, image, files, nic: podNic(), runAs: qemuUser });
		await runVirtualMachine(
			{ clock: systemClock, log, env: process.env },
			{ qemu, files, graceSeconds: machine.graceSeconds, onRunning: ready, signal },
		);
	},
});

/** The guest's NIC is the pod's: the tap that the agent made, with the address and MTU of the `eth0` that stands for it. */
function podNic(): Nic {
	using socket = openRoute();
	const { mac, mtu } = getLink(socket, 'eth0');
	if (!mac) throw new CodedError('LAUNCHER_NIC', "the pod's eth0 has no hardware address");
	return { tap: 'tap0', mac, mtu };
}
