import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseNetworkConfiguration, readNetworkConfiguration } from './configuration.ts';

const refused = expect.objectContaining({ code: 'CNI_CONFIGURATION' });

describe('parseNetworkConfiguration', () => {
	it('reads a list', () => {
		const list = { cniVersion: '1.0.0', name: 'net', plugins: [{ type: 'a', x: 1 }, { type: 'b' }] };
		expect(parseNetworkConfiguration(JSON.stringify(list), '01.conflist')).toEqual(list);
	});

	it('takes a single plugin as a list of one', () => {
		const text = JSON.stringify({ cniVersion: '0.3.0', name: 'net', type: 'kube-ovn', server_socket: '/s' });
		expect(parseNetworkConfiguration(text, '01.conf')).toEqual({
			cniVersion: '0.3.0',
			name: 'net',
			plugins: [{ type: 'kube-ovn', server_socket: '/s' }],
		});
	});

	it.each([
		['what is not JSON', '{', 'a.conf'],
		['a configuration without a name', '{"type":"a"}', 'a.conf'],
		['a plugin without a type', '{"name":"n"}', 'a.conf'],
		['a plugin outside the directory', '{"name":"n","type":"../evil"}', 'a.conf'],
		['a list without plugins', '{"name":"n","plugins":[]}', 'a.conflist'],
		['a list without the key', '{"name":"n","type":"a"}', 'a.conflist'],
	])('refuses %s', (_, text, file) => expect(() => parseNetworkConfiguration(text, file)).toThrow(refused));
});

describe('readNetworkConfiguration', () => {
	const directory = mkdtempSync(join(tmpdir(), 'cni-'));
	afterAll(() => rmSync(directory, { recursive: true }));

	it('says that there is none', () => {
		expect(() => readNetworkConfiguration(directory)).toThrow(refused);
		expect(() => readNetworkConfiguration(join(directory, 'missing'))).toThrow(refused);
	});

	it('takes the first file by name', () => {
		writeFileSync(join(directory, '10-b.conf'), '{"name":"b","type":"x"}');
		writeFileSync(join(directory, '05-a.conflist'), '{"name":"a","plugins":[{"type":"x"}]}');
		writeFileSync(join(directory, '00-readme.txt'), 'x');
		expect(readNetworkConfiguration(directory).name).toBe('a');
	});
});
