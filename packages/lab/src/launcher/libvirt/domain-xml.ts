import { disabledOffloads } from '@tapestry/host';
import type { MachineConfig, Nic } from '../config.ts';
import { type Disk, positionOnBus } from '../disks/prepare.ts';
import { monitorArguments } from '../qemu/arguments.ts';
import type { MachineShare } from '../volumes.ts';

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** By bus; each counts its devices in letters. */
const devicePrefix = { virtio: 'vd', sata: 'sd' } as const;

/**
 * The machine as libvirt's domain, in KubeVirt's shape: an unmanaged tap that is there already, aliases that name the instance's networks and
 * volumes. Source: libvirt, "Domain XML format"; KubeVirt, pkg/virt-launcher/virtwrap/converter.
 */
export function domainXml(config: MachineConfig): string {
	const { accelerator, image, kernelArguments, files, nic, shares } = config;
	const direct = kernelArguments !== undefined;
	const emulated = accelerator === 'tcg';
	const memory = { unit: 'MiB' };
	return element('domain', { type: emulated ? 'qemu' : 'kvm', 'xmlns:qemu': 'http://libvirt.org/schemas/domain/qemu/1.0' }, [
		element('name', {}, config.name),
		element('memory', memory, String(config.memoryMiB)),
		shares.length > 0 ? element('memoryBacking', {}, [element('source', { type: 'memfd' }), element('access', { mode: 'shared' })]) : '',
		element('vcpu', {}, String(config.cpus)),
		element('os', {}, [
			element('type', { arch: 'x86_64', machine: 'q35' }, 'hvm'),
			direct ? element('kernel', {}, image.kernel) : '',
			direct ? element('initrd', {}, image.initrd) : '',
			direct ? element('cmdline', {}, kernelArguments) : '',
		]),
		element('features', {}, [element('acpi'), element('apic')]),
		element('cpu', { mode: emulated ? 'maximum' : 'host-passthrough' }),
		element('on_poweroff', {}, 'destroy'),
		element('on_reboot', {}, 'restart'),
		element('on_crash', {}, 'destroy'),
		element('devices', {}, [
			element('emulator', {}, '/usr/bin/qemu-system-x86_64'),
			element('controller', { type: 'usb', model: 'none' }),
			...config.disks.map((disk) => diskXml(disk, positionOnBus(config.disks, disk))),
			...shares.map(shareXml),
			nic ? interfaceXml(nic) : '',
			element('serial', { type: 'unix' }, [
				element('source', { mode: 'bind', path: files.consoleSocket }),
				element('log', { file: files.consoleLog, append: 'off' }),
				element('target', { port: 0 }),
			]),
			element('serial', { type: 'unix' }, [
				element('source', { mode: 'connect', path: files.commandsSocket }),
				element('target', { port: 1 }),
			]),
			element('memballoon', { model: 'none' }),
		]),
		element('qemu:commandline', {}, [
			...monitorArguments(files.qmpSocket).map((value) => element('qemu:arg', { value })),
			// libvirt gives QEMU an environment of its own.
			...Object.entries(config.environment).map(([name, value]) => element('qemu:env', { name, value })),
		]),
		emulated && shares.length > 0 ? element('qemu:override', {}, shares.map(interruptOverride)) : '',
	]);
}

function interfaceXml({ network, tap, mac, mtu, queues, vhost }: Nic): string {
	const off = (names: readonly string[]): Attributes => Object.fromEntries(names.map((name) => [name, 'off']));
	return element('interface', { type: 'ethernet' }, [
		element('alias', { name: alias(network) }),
		element('target', { dev: tap, managed: 'no' }),
		element('model', { type: 'virtio-non-transitional' }),
		element('mac', { address: mac }),
		element('mtu', { size: mtu }),
		element('driver', { name: vhost ? 'vhost' : undefined, queues: queues > 1 ? queues : undefined }, [
			element('host', off(disabledOffloads.host)),
			element('guest', off(disabledOffloads.guest)),
		]),
		element('rom', { enabled: 'no' }),
	]);
}

function diskXml(disk: Disk, position: number): string {
	return element('disk', { type: 'file', device: disk.device }, [
		element('driver', { name: 'qemu', type: disk.format }),
		element('source', { file: disk.path }),
		element('target', { dev: `${devicePrefix[disk.bus]}${String.fromCharCode('a'.charCodeAt(0) + position)}`, bus: disk.bus }),
		disk.readOnly ? element('readonly') : '',
		disk.serial === undefined ? '' : element('serial', {}, disk.serial),
		disk.boots ? element('boot', { order: 1 }) : '',
		element('alias', { name: alias(disk.name) }),
	]);
}

function shareXml({ tag, path }: MachineShare): string {
	return element('filesystem', { type: 'mount' }, [
		element('driver', { type: 'virtiofs' }),
		element('source', { dir: path }),
		element('target', { dir: tag }),
		element('alias', { name: alias(tag) }),
	]);
}

/** Without KVM QEMU 7.2 has no irqfd and crashes when a vhost-user device uses MSI-X. */
function interruptOverride({ tag }: MachineShare): string {
	const property = element('qemu:property', { name: 'vectors', type: 'unsigned', value: 0 });
	return element('qemu:device', { alias: alias(tag) }, [element('qemu:frontend', {}, [property])]);
}

/** What users define has aliases with this prefix; KubeVirt finds NICs and disks by them. */
function alias(name: string): string {
	return `ua-${name}`;
}

function element(name: string, attributes: Attributes = {}, content: readonly string[] | string = []): string {
	const listed = Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [` ${key}='${escaped(String(value))}'`]));
	const inner = typeof content === 'string' ? escaped(content) : content.join('');
	return inner === '' ? `<${name}${listed.join('')}/>` : `<${name}${listed.join('')}>${inner}</${name}>`;
}

function escaped(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll("'", '&apos;').replaceAll('"', '&quot;');
}
