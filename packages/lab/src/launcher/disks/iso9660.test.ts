import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isoImage } from './iso9660.ts';

/** What a reader of Joliet finds: by the descriptor of type 2 to its root directory, record by record. */
function filesOf(image: Buffer): Record<string, string> {
	const sector = (number: number): Buffer => image.subarray(number * 2048, number * 2048 + 2048);
	let at = 16;
	while (sector(at)[0] !== 2) at++;
	const root = sector(sector(at).readUInt32LE(156 + 2));
	const files: Record<string, string> = {};
	for (let offset = 0; (root[offset] ?? 0) > 0; offset += root[offset] ?? 0) {
		const record = root.subarray(offset, offset + (root[offset] ?? 0));
		if (((record[25] ?? 0) & 2) !== 0) continue;
		const name = Buffer.from(record.subarray(33, 33 + (record[32] ?? 0)))
			.swap16()
			.toString('utf16le');
		const start = record.readUInt32BE(6) * 2048;
		files[name] = image.subarray(start, start + record.readUInt32LE(10)).toString();
	}
	return files;
}

describe('isoImage', () => {
	it('holds what went in, of every length', () => {
		const name = fc.constantFrom('meta-data', 'user-data', 'network-config', 'vendor-data');
		const content = fc.oneof(
			fc.string({ unit: 'grapheme' }),
			fc.nat({ max: 5000 }).map((length) => 'x'.repeat(length)),
		);
		fc.assert(
			fc.property(fc.dictionary(name, content), (files) => {
				const image = Buffer.from(
					isoImage(
						'cidata',
						Object.entries(files).map(([key, text]) => ({ name: key, data: Buffer.from(text) })),
					),
				);
				expect(image.length % 2048).toBe(0);
				expect(filesOf(image)).toEqual({ ...files });
			}),
		);
	});

	it('has the root directory in the path tables of both byte orders', () => {
		const image = Buffer.from(isoImage('cidata', []));
		for (const at of [16, 17].map((sector) => sector * 2048)) {
			const root = image.readUInt32LE(at + 156 + 2);
			const [little, big] = [image.readUInt32LE(at + 140) * 2048, image.readUInt32BE(at + 148) * 2048];
			expect([image.readUInt32LE(little + 2), image.readUInt32BE(big + 2)]).toEqual([root, root]);
			expect([image.readUInt16LE(little + 6), image.readUInt16BE(big + 6)]).toEqual([1, 1]);
		}
	});

	it('is found by its label', () => {
		const directory = mkdtempSync(join(tmpdir(), 'iso-'));
		try {
			const file = join(directory, 'seed.iso');
			writeFileSync(file, isoImage('cidata', [{ name: 'user-data', data: Buffer.from('x') }]));
			const { stdout } = spawnSync('blkid', ['--probe', '--output', 'export', file], { encoding: 'utf8' });
			expect(stdout).toContain('LABEL=cidata\n');
			expect(stdout).toContain('TYPE=iso9660\n');
		} finally {
			rmSync(directory, { recursive: true });
		}
	});

	it('refuses more files than its directory can list', () => {
		const files = Array.from({ length: 50 }, (_, index) => ({ name: `a-file-with-a-name-${index}`, data: Buffer.alloc(0) }));
		expect(() => isoImage('x', files)).toThrow(RangeError);
	});
});
