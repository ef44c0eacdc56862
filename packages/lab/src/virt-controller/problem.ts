import type { ErrorText } from '@tapestry/base';
import type { VirtualMachine } from '@tapestry/network';

/** Label values have at most 63 characters, and the VM's name is one on its pods. Source: Kubernetes, "Labels and Selectors". */
const longestName = 63;

/** Why no instance can be made of a machine, or undefined. */
export function findProblem(vm: VirtualMachine): ErrorText | undefined {
	const { running, runStrategy, template } = vm.spec;
	const { name } = vm.metadata;
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
	if (name.length > longestName) {
		return { what: 'the name of this machine is too long', why: `it has ${name.length} characters`, fix: `use at most ${longestName}` };
	}
	if (template.spec?.domain === undefined) {
		return {
			what: 'there is no machine to run',
			why: 'spec.template.spec.domain is missing',
			fix: 'add it, for example: domain: {devices: {}, memory: {guest: 128Mi}}',
		};
	}
	return findNetworkProblem(template.spec);
}

function findNetworkProblem(spec: NonNullable<VirtualMachine['spec']['template']['spec']>): ErrorText | undefined {
	const networks = spec.networks ?? [];
	const interfaces = spec.domain?.devices?.interfaces ?? [];
	const networkNames = new Set(networks.map(({ name }) => name));
	const interfaceNames = new Set(interfaces.map(({ name }) => name));
	for (const [names, others, own, other] of [
		[interfaceNames, networkNames, 'interface', 'network'],
		[networkNames, interfaceNames, 'network', 'interface'],
	] as const) {
		const alone = [...names].find((name) => !others.has(name));
		if (alone !== undefined) {
			return {
				what: `${own} "${alone}" is not usable`,
				why: `there is no ${other} of this name`,
				fix: `add the ${other} or remove the ${own}`,
			};
		}
	}
	const secondary = networks.find(({ multus }) => multus !== undefined);
	if (secondary === undefined) return undefined;
	return {
		what: `network "${secondary.name}" cannot be attached`,
		why: 'secondary networks of machines are not built yet',
		fix: 'remove the network and its interface',
	};
}
