import { type ErrorText, isCoded } from '@tapestry/base';
import type { VirtualMachine, VirtualMachineInstance } from '@tapestry/network';
import { machineOf } from '../launcher/machine.ts';
import { newInstance } from './new-instance.ts';

const unlimited = { cpus: Number.POSITIVE_INFINITY, memoryMiB: Number.POSITIVE_INFINITY };

/** Why no instance can be made of a machine, or undefined. */
export function findProblem(vm: VirtualMachine): ErrorText | undefined {
	const { running, runStrategy, template } = vm.spec;
	if (running !== undefined && runStrategy !== undefined) {
		return {
			what: 'it is not clear whether this machine should run',
			why: 'spec.running and spec.runStrategy are both set',
			fix: 'remove spec.running',
		};
	}
	if (runStrategy === 'WaitAsReceiver') {
		return { what: 'runStrategy WaitAsReceiver is not supported', fix: 'use Always, RerunOnFailure, Once, Manual or Halted' };
	}
	if (template.spec?.domain === undefined) {
		return {
			what: 'there is no machine to run',
			why: 'spec.template.spec.domain is missing',
			fix: 'add it, for example: domain: {devices: {}, memory: {guest: 128Mi}}',
		};
	}
	return findInstanceProblem(newInstance(vm));
}

/** Why no launcher can run an instance, or undefined: what the launcher itself would say, before there is one. */
export function findInstanceProblem(instance: VirtualMachineInstance): ErrorText | undefined {
	try {
		machineOf(instance, unlimited);
		return undefined;
	} catch (error) {
		if (isCoded(error)) return error.text;
		throw error;
	}
}
