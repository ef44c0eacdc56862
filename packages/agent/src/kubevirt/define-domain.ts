import { CodedError, messageOf } from '@tapestry/base';
import { hostTapName, tapName } from '@tapestry/host';
import {
	annotations,
	chooseAttachmentMode,
	type MachineInterface,
	modeOfBinding,
	ownBinding,
	type VirtualMachineInstance,
} from '@tapestry/network';
import { type DomainNic, placeNics } from './domain-nics.ts';
import type { NetworkInfo } from './network-info.ts';

export interface DefineDomainOptions {
	/** Name under which the binding is registered. */
	readonly binding?: string;
	/** Whether the launcher was put into the node's own network. */
	readonly isOnNode?: boolean;
	/** What is known of the pod's networks at this moment. */
	readonly networkInfo?: NetworkInfo;
	/** Whether guests complete their packets themselves, as Open vSwitch's userspace datapath needs them. */
	readonly guestChecksums?: boolean;
}

/** More than a domain has: KubeVirt's are some 10 kB. */
const longestXml = 1 << 20;
/** KubeVirt's limit (virt-config, MultiQueueMaxQueues). */
const maxQueues = 256;

/**
 * OnDefineDomain: the domain with this machine's NICs of ours on their taps. The XML of a machine that has none is given back as it came, whatever
 * it is.
 * @throws HOOK_VMI, HOOK_DOMAIN, HOOK_NIC, XML_MALFORMED
 */
export function defineDomain(vmiJson: string, xml: string, options: DefineDomainOptions = {}): string {
	const vmi = readInstance(vmiJson);
	const own = (vmi.spec.domain.devices?.interfaces ?? []).filter(({ binding }) => binding?.name === (options.binding ?? ownBinding));
	if (own.length === 0) return xml;
	if (xml.length > longestXml) {
		throw new CodedError('HOOK_DOMAIN', { what: 'the domain is not read', why: `it is longer than ${longestXml} characters` });
	}
	const { name, namespace = 'default' } = vmi.metadata;
	const nics = own.map((nic) => domainNic(vmi, nic, options));
	return placeNics(xml, `${namespace}_${name}`, nics);
}

function readInstance(json: string): VirtualMachineInstance {
	let value: unknown;
	try {
		value = JSON.parse(json);
	} catch (error) {
		throw notAnInstance(messageOf(error));
	}
	const { metadata, spec } = (value ?? {}) as Partial<VirtualMachineInstance>;
	if (typeof metadata?.name !== 'string') throw notAnInstance('it has no metadata.name');
	if (typeof spec?.domain !== 'object' || spec.domain === null) throw notAnInstance('it has no spec.domain');
	return value as VirtualMachineInstance;
}

function notAnInstance(why: string): CodedError {
	return new CodedError('HOOK_VMI', { what: 'this is no VirtualMachineInstance', why, fix: 'pass its JSON, as virt-launcher does' });
}

function domainNic(vmi: VirtualMachineInstance, nic: MachineInterface, options: DefineDomainOptions): DomainNic {
	const { networkInfo, isOnNode, guestChecksums = false } = options;
	const { domain, networks = [] } = vmi.spec;
	const network = networks.find(({ name }) => name === nic.name);
	if (!network) {
		throw new CodedError('HOOK_NIC', { what: `interface "${nic.name}" is not usable`, why: 'there is no network of this name' });
	}
	const known = networkInfo?.interfaces?.find((one) => one.network === nic.name);
	// Our plugin may be registered under any name.
	const registered = nic.binding?.name ?? ownBinding;
	const { value: mode, problem } = chooseAttachmentMode({
		nic: { ...nic, binding: { name: modeOfBinding(registered) === undefined ? ownBinding : registered } },
		annotation: vmi.metadata.annotations?.[annotations.attachmentMode],
		isOnNode,
	});
	if (problem) throw new CodedError('HOOK_NIC', problem);
	const onHost = mode === 'tap';
	const mac = nic.macAddress ?? known?.mac;
	if (onHost && mac === undefined) {
		// libvirt would make one up, and the switch lets only the port's own through.
		throw new CodedError('HOOK_NIC', {
			what: `interface "${nic.name}" cannot be connected yet`,
			why: 'its MAC address is not known: the instance has none, and the pod says none yet',
			fix: 'set macAddress of the interface, or register the binding with downwardAPI: device-info and try again',
		});
	}
	return {
		network: nic.name,
		tap: onHost ? hostTapName(vmi.metadata.uid ?? '', nic.name) : tapName(nic.name, isPrimary(network)),
		model: modelOf(vmi, nic),
		mac,
		mtu: known?.mtu,
		queues: domain.devices?.networkInterfaceMultiqueue ? Math.min(processors(vmi), maxQueues) : 1,
		guestChecksums,
	};
}

type Network = NonNullable<VirtualMachineInstance['spec']['networks']>[number];

function isPrimary({ pod, multus }: Network): boolean {
	return pod !== undefined || (multus as { readonly default?: boolean } | undefined)?.default === true;
}

function modelOf({ spec }: VirtualMachineInstance, { model = 'virtio' }: MachineInterface): string {
	if (model !== 'virtio') return model;
	const { useVirtioTransitional = false } = (spec.domain.devices ?? {}) as { readonly useVirtioTransitional?: boolean };
	return useVirtioTransitional ? 'virtio-transitional' : 'virtio-non-transitional';
}

function processors({ spec }: VirtualMachineInstance): number {
	const { cores = 1, sockets = 1, threads = 1 } = spec.domain.cpu ?? {};
	return cores * sockets * threads;
}
