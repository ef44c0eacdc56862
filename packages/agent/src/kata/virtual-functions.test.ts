import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NetlinkSocket } from '@tapestry/linux';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { virtualFunctions } from './virtual-functions.ts';

let sysfs: string;
beforeEach(() => {
	sysfs = mkdtempSync(join(tmpdir(), 'sysfs-'));
});
afterEach(() => rmSync(sysfs, { recursive: true }));

const find = (address: string) => virtualFunctions({ route: {} as NetlinkSocket }, { sysfs }).find(address);

/** A NIC of two ports with two virtual functions each, as the kernel shows it when its switch is on; every device is listed at its port, as mlx5 does. */
function nic(options: { readonly representors?: boolean; readonly named?: boolean } = {}): void {
	const device = (name: string, port: number, attributes: Record<string, string>): void => {
		const directory = join(sysfs, 'devices', `0000:18:00.${port}`, 'net', name);
		mkdirSync(directory, { recursive: true });
		for (const [file, text] of Object.entries(attributes)) writeFileSync(join(directory, file), `${text}\n`);
		mkdirSync(join(sysfs, 'class/net'), { recursive: true });
		symlinkSync(directory, join(sysfs, 'class/net', name));
	};
	mkdirSync(join(sysfs, 'bus/pci/devices'), { recursive: true });
	for (const port of [0, 1]) {
		const physical = `0000:18:00.${port}`;
		device(`ens${port}`, port, { ...(options.named === false ? {} : { phys_port_name: `p${port}` }), phys_switch_id: 'b8cef6' });
		symlinkSync(join(sysfs, 'devices', physical), join(sysfs, 'bus/pci/devices', physical));
		for (const index of [0, 1]) {
			const address = `0000:18:0${port + 1}.${index}`;
			mkdirSync(join(sysfs, 'devices', address));
			symlinkSync(`../${physical}`, join(sysfs, 'devices', address, 'physfn'));
			symlinkSync(`../${address}`, join(sysfs, 'devices', physical, `virtfn${index}`));
			symlinkSync(join(sysfs, 'devices', address), join(sysfs, 'bus/pci/devices', address));
			if (options.representors === false) continue;
			device(`ens${port}r${index}`, port, { phys_port_name: `pf${port}vf${index}`, phys_switch_id: 'b8cef6' });
		}
	}
}

it('finds the representor of a virtual function, whatever it is called', () => {
	nic();
	expect(find('0000:18:01.0')).toEqual({ physical: 'ens0', index: 0, representor: 'ens0r0' });
	expect(find('0000:18:02.1')).toEqual({ physical: 'ens1', index: 1, representor: 'ens1r1' });
});

it.each([
	['what is no virtual function', () => nic(), '0000:18:00.0', 'no virtual function of this node'],
	['what is not there', () => nic(), '0000:99:00.0', 'no virtual function of this node'],
	['a NIC whose switch is off', () => nic({ representors: false }), '0000:18:01.0', 'it has no representor'],
	['to guess between two', () => nic({ named: false }), '0000:18:01.0', 'ens0r0 and ens1r0 could both'],
])('refuses %s', (_, make, address, why) => {
	make();
	expect(() => find(address)).toThrow(why);
});
