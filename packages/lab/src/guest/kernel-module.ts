import { CodedError } from '@tapestry/base';

/** The modules that a kernel module needs, as its own `.modinfo` section says (`depends=a,b`). @param object the ELF file */
export function moduleDependencies(object: Uint8Array): readonly string[] {
	return information(object, 'depends').flatMap((names) => names.split(',').filter((name) => name !== ''));
}

/** The names by which the kernel asks for a module: patterns of devices, `fs-TYPE` of file systems. @param object the ELF file */
export function moduleAliases(object: Uint8Array): readonly string[] {
	return information(object, 'alias');
}

function information(object: Uint8Array, field: string): readonly string[] {
	const entries = Buffer.from(section(object, '.modinfo')).toString('latin1').split('\0');
	return entries.filter((entry) => entry.startsWith(`${field}=`)).map((entry) => entry.slice(field.length + 1));
}

/** The given modules and all that they need, each after what it needs: the order in which insmod succeeds. */
export function loadOrder(wanted: readonly string[], dependenciesOf: (name: string) => readonly string[]): readonly string[] {
	const order = new Set<string>();
	const add = (name: string): void => {
		if (order.has(name)) return;
		for (const dependency of dependenciesOf(name)) add(dependency);
		order.add(name);
	};
	for (const name of wanted) add(name);
	return [...order];
}

/** A section of a 64-bit little-endian ELF file (elf(5): Elf64_Ehdr, Elf64_Shdr). */
function section(object: Uint8Array, wanted: string): Uint8Array {
	const view = new DataView(object.buffer, object.byteOffset, object.byteLength);
	if (view.getUint32(0) !== 0x7f454c46) throw new CodedError('GUEST_MODULE', 'a kernel module is not an ELF file');
	const table = Number(view.getBigUint64(0x28, true));
	const entrySize = view.getUint16(0x3a, true);
	const count = view.getUint16(0x3c, true);
	const content = (index: number): Uint8Array => {
		const header = table + index * entrySize;
		const start = Number(view.getBigUint64(header + 0x18, true));
		return object.subarray(start, start + Number(view.getBigUint64(header + 0x20, true)));
	};
	const names = Buffer.from(content(view.getUint16(0x3e, true)));
	for (let index = 0; index < count; index++) {
		const name = view.getUint32(table + index * entrySize, true);
		if (names.toString('latin1', name, names.indexOf(0, name)) === wanted) return content(index);
	}
	throw new CodedError('GUEST_MODULE', `a kernel module has no section ${wanted}`);
}
