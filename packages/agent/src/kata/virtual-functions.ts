import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CodedError } from '@tapestry/base';
import { type NetlinkSocket, setVirtualFunctionMac } from '@tapestry/linux';

export interface VirtualFunction {
	/** Device of the physical function. */
	readonly physical: string;
	/** Which of its virtual functions, from 0. */
	readonly index: number;
	/** The device that stands for it on the node: what the switch sends there the virtual function receives, and the other way round. */
	readonly representor: string;
}

/** The virtual functions of the node's NICs. */
export interface VirtualFunctions {
	/** Throws AGENT_VIRTUAL_FUNCTION. */
	find(pciAddress: string): VirtualFunction;
	setMac(virtualFunction: VirtualFunction, mac: string): void;
}

/** What sysfs shows of them (Documentation/ABI/testing/sysfs-bus-pci, sysfs-class-net). @param options.sysfs default /sys */
export function virtualFunctions(
	deps: { readonly route: NetlinkSocket },
	{ sysfs = '/sys' }: { readonly sysfs?: string } = {},
): VirtualFunctions {
	return {
		find: (pciAddress) => find(sysfs, pciAddress),
		setMac: ({ physical, index }, mac) => setVirtualFunctionMac(deps.route, physical, { index, mac }),
	};
}

function find(sysfs: string, pciAddress: string): VirtualFunction {
	const device = join(sysfs, 'bus/pci/devices', pciAddress);
	const refuse = (why: string, fix: string): never => {
		throw new CodedError('AGENT_VIRTUAL_FUNCTION', { what: `${pciAddress} cannot be plugged into the switch`, why, fix });
	};
	const physicalDevice = join(device, 'physfn');
	const link = namesIn(physicalDevice).find((name) => /^virtfn\d+$/.test(name) && targetOf(join(physicalDevice, name)) === pciAddress);
	if (link === undefined) return refuse('it is no virtual function of this node', 'let the pod request a resource of virtual functions');
	const index = Number(link.slice('virtfn'.length));
	const attribute = (name: string, what: string): string => textIn(join(sysfs, 'class/net', name, what));
	// A driver may list the representors beside the device of the NIC itself, whose port is called p0 or has no name.
	const physical = namesIn(join(physicalDevice, 'net')).find((name) => /^(p\d+)?$/.test(attribute(name, 'phys_port_name')));
	if (physical === undefined) return refuse('its NIC has no device', 'let its physical function keep its driver');
	const switchId = attribute(physical, 'phys_switch_id');
	const port = /^p(\d+)$/.exec(attribute(physical, 'phys_port_name'))?.[1];
	const representors = namesIn(join(sysfs, 'class/net')).filter((name) => {
		const parts = /^(?:c\d+)?pf(\d+)vf(\d+)$/.exec(attribute(name, 'phys_port_name'));
		if (!parts || switchId === '' || attribute(name, 'phys_switch_id') !== switchId) return false;
		return Number(parts[2]) === index && (port === undefined || parts[1] === port);
	});
	const [representor, another] = representors;
	if (representor === undefined) {
		return refuse('it has no representor', `devlink dev eswitch set pci/${targetOf(physicalDevice)} mode switchdev`);
	}
	if (another !== undefined)
		return refuse(`${representors.join(' and ')} could both be its representor`, 'name the ports of its NIC p0, p1');
	return { physical, index, representor };
}

function namesIn(directory: string): readonly string[] {
	try {
		return readdirSync(directory).sort();
	} catch {
		return [];
	}
}

/** Devices without an attribute refuse to be read. */
function textIn(file: string): string {
	try {
		return readFileSync(file, 'utf8').trim();
	} catch {
		return '';
	}
}

function targetOf(link: string): string {
	try {
		return basename(readlinkSync(link));
	} catch {
		return '';
	}
}
