import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findAccelerator, readAccelerator } from './accelerator.ts';
import { type GuestImage, guestImage } from './image.ts';

describe('findAccelerator', () => {
	let directory: string;
	let image: GuestImage;
	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), 'accelerator-'));
		image = guestImage(join(directory, 'image'));
		mkdirSync(image.directory);
	});
	afterEach(() => rmSync(directory, { recursive: true }));

	/** Something that anybody may open stands for KVM's device. */
	const device = '/dev/null';

	/** Puts a script in QEMU's place; the environment to run it with. It keeps its arguments in `calls`. */
	function qemu(script: string): { readonly env: { readonly PATH: string } } {
		const file = join(directory, 'qemu-system-x86_64');
		writeFileSync(file, `#!/bin/sh\necho "$*" >>'${join(directory, 'calls')}'\n${script}\n`);
		chmodSync(file, 0o755);
		return { env: { PATH: `${directory}:/usr/bin:/bin` } };
	}
	const calls = (): number =>
		existsSync(join(directory, 'calls')) ? readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n').length : 0;

	it('is KVM where a guest boots with it', async () => {
		expect(await findAccelerator(qemu('echo GUEST READY name=guest'), image, { device })).toBe('kvm');
		expect(readFileSync(join(directory, 'calls'), 'utf8')).toContain('-accel kvm');
		expect(readAccelerator(image)).toBe('kvm');
	});

	it.each([
		['fails', 'echo GUEST READY; exit 1'],
		['ends without a guest', 'exit 0'],
	])('is emulation where QEMU %s', async (_, script) => {
		expect(await findAccelerator(qemu(script), image, { device })).toBe('tcg');
		expect(readAccelerator(image)).toBe('tcg');
	});

	it('does not even try where there is no device', async () => {
		expect(await findAccelerator(qemu('echo GUEST READY'), image, { device: join(directory, 'none') })).toBe('tcg');
		expect(calls()).toBe(0);
	});

	it('asks once for each boot of the machine', async () => {
		const deps = qemu('echo GUEST READY');
		await findAccelerator(deps, image, { device });
		expect(await findAccelerator(deps, image, { device })).toBe('kvm');
		expect(calls()).toBe(1);
		writeFileSync(join(image.directory, 'accelerator.json'), JSON.stringify({ accelerator: 'tcg', bootId: 'an earlier one' }));
		expect(await findAccelerator(deps, image, { device })).toBe('kvm');
		expect(calls()).toBe(2);
	});

	it('is emulation as long as nobody has asked', () => expect(readAccelerator(image)).toBe('tcg'));
});
