import type { Pod } from '@tapestry/kube';
import {
	isLauncher,
	malformedTraffic,
	type Problem,
	readTraffic,
	type VirtualMachine,
	type VirtualMachineInstance,
	virtualMachineInstanceResource,
	virtualMachineResource,
} from '@tapestry/network';
import { isOfVm } from '../leases/claimant.ts';
import type { Validator } from './validators.ts';

type Annotations = Readonly<Record<string, string>> | undefined;

/** What pods and machines ask for their traffic in annotations, which no schema checks. */
export const trafficValidators: readonly Validator[] = [
	{
		group: '',
		version: 'v1',
		plural: 'pods',
		refuses: malformedTraffic,
		reads: ({ metadata }: Pod) => metadata.annotations,
		// A launcher and an instance have a machine's words, which were judged where a person wrote them; without them it could not start any more.
		problems: (pod: Pod) => (isLauncher(pod) ? [] : problemsOf(pod.metadata.annotations)),
	},
	{
		...virtualMachineInstanceResource,
		refuses: malformedTraffic,
		reads: ({ metadata }: VirtualMachineInstance) => metadata.annotations,
		problems: (vmi: VirtualMachineInstance) => (isOfVm(vmi) ? [] : problemsOf(vmi.metadata.annotations)),
	},
	{
		...virtualMachineResource,
		refuses: malformedTraffic,
		reads: machineAnnotations,
		problems: (vm: VirtualMachine) => problemsOf(machineAnnotations(vm)),
	},
];

function machineAnnotations({ metadata, spec }: VirtualMachine): Annotations {
	return { ...metadata.annotations, ...spec.template?.metadata?.annotations };
}

function problemsOf(annotations: Annotations): readonly Problem[] {
	return readTraffic(annotations ?? {}).problems;
}
