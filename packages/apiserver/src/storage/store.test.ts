import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@tapestry/base';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiObject } from '../objects.ts';
import type { Change } from './history.ts';
import { Store, type StoreOptions } from './store.ts';

let directory: string;
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'store-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (options: Partial<StoreOptions> = {}): Store => new Store({ log: silentLogger }, { directory, ...options });
const object = (name: string, value: unknown = 0, namespace?: string): ApiObject => ({
	apiVersion: 'v1',
	kind: 'ConfigMap',
	metadata: { name, ...(namespace ? { namespace } : {}) },
	data: { value },
});
const logFile = (): string => join(directory, readdirSync(directory).find((name) => name.startsWith('log-')) ?? '');
const contents = (store: Store): unknown => store.resources().map((resource) => [resource, store.list(resource)]);

describe('Store', () => {
	it('gives every change of any resource the next resourceVersion', () => {
		const store = open();
		expect(store.put('configmaps', object('a')).metadata.resourceVersion).toBe('1');
		expect(store.put('secrets', object('a')).metadata.resourceVersion).toBe('2');
		expect(store.remove('configmaps', '', 'a')?.metadata.resourceVersion).toBe('3');
		expect(store.remove('configmaps', '', 'a')).toBeUndefined();
		expect(store.resourceVersion).toBe(3);
		store.close();
	});

	it('lists by namespace and name', () => {
		const store = open();
		for (const [namespace, name] of [
			['b', 'x'],
			['a', 'z'],
			['a', 'y'],
		] as const)
			store.put('configmaps', object(name, 0, namespace));
		const keys = (objects: readonly ApiObject[]): string[] => objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
		expect(keys(store.list('configmaps'))).toEqual(['a/y', 'a/z', 'b/x']);
		expect(keys(store.list('configmaps', 'a'))).toEqual(['a/y', 'a/z']);
		expect(store.list('configmaps', 'none')).toEqual([]);
		store.close();
	});

	it('tells listeners of each change, with what was there before', () => {
		const store = open();
		const seen: [string, unknown, unknown][] = [];
		const stop = store.subscribe('configmaps', ({ type, before, object: { data } }: Change) => seen.push([type, before?.data, data]));
		store.put('configmaps', object('a', 1));
		store.put('secrets', object('a', 1));
		store.put('configmaps', object('a', 2));
		store.remove('configmaps', '', 'a');
		stop();
		store.put('configmaps', object('a', 3));
		expect(seen).toEqual([
			['ADDED', undefined, { value: 1 }],
			['MODIFIED', { value: 1 }, { value: 2 }],
			['DELETED', { value: 2 }, { value: 2 }],
		]);
		store.close();
	});

	it('is the same after any changes and a restart, compacted or not', () => {
		const change = fc.record({ name: fc.constantFrom('a', 'b', 'c'), value: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }) });
		fc.assert(
			fc.property(
				fc.array(fc.array(change, { maxLength: 12 }), { maxLength: 4 }),
				fc.constantFrom(1, 300, 1 << 20),
				(lives, compactBytes) => {
					rmSync(directory, { recursive: true, force: true });
					let store = open({ compactBytes });
					for (const changes of lives) {
						for (const { name, value } of changes) {
							if (value === undefined) store.remove('configmaps', 'ns', name);
							else store.put('configmaps', object(name, value, 'ns'));
						}
						const before = [store.resourceVersion, contents(store)];
						store.close();
						store = open({ compactBytes });
						// A resource without objects is not worth a line in a snapshot.
						const nonEmpty = (value: unknown): unknown => (value as [string, unknown[]][]).filter(([, objects]) => objects.length > 0);
						expect([store.resourceVersion, nonEmpty(contents(store))]).toEqual([before[0], nonEmpty(before[1])]);
					}
					store.close();
				},
			),
			{ numRuns: 25 },
		);
	});

	it('drops a line that a kill tore, and goes on after the last whole one', () => {
		const store = open();
		store.put('configmaps', object('a', 1));
		store.close();
		appendFileSync(logFile(), '{"rv":2,"resource":"configmaps","obj');
		const again = open();
		expect(again.resourceVersion).toBe(1);
		again.put('configmaps', object('b', 2));
		again.close();
		const last = open();
		expect(last.list('configmaps').map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
		last.close();
	});

	it('refuses a log that is broken anywhere else', () => {
		const store = open();
		for (const name of ['a', 'b']) store.put('configmaps', object(name));
		store.close();
		writeFileSync(logFile(), readFileSync(logFile(), 'utf8').replace('{', ''));
		expect(() => open()).toThrow(expect.objectContaining({ code: 'STORAGE_CORRUPT' }));
	});

	it('keeps one snapshot and one log', () => {
		const store = open({ compactBytes: 500 });
		for (let value = 0; value < 100; value++) store.put('configmaps', object('a', value));
		expect(readdirSync(directory).sort()).toEqual([expect.stringMatching(/^log-\d+$/), expect.stringMatching(/^snapshot-\d+$/)]);
		store.close();
	});

	it('reads the older files when the process died before its snapshot was complete', () => {
		const store = open();
		store.put('configmaps', object('a', 1));
		store.close();
		// What compaction leaves at that moment: the next log, begun, and part of a snapshot.
		writeFileSync(join(directory, 'log-1'), `${JSON.stringify({ rv: 2, resource: 'configmaps', object: object('b', 2) })}\n`);
		writeFileSync(join(directory, 'snapshot-1.part'), '{"snap');
		const again = open();
		expect(again.list('configmaps').map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
		expect(again.resourceVersion).toBe(2);
		again.close();
	});
});

describe('changesSince', () => {
	const names = (changes: readonly Change[] | undefined): unknown =>
		changes?.map(({ type, object: { metadata } }) => `${type} ${metadata.name}`);

	it('gives what came after, across a restart', () => {
		const store = open();
		store.put('configmaps', object('a'));
		store.put('secrets', object('s'));
		store.put('configmaps', object('b'));
		store.remove('configmaps', '', 'a');
		const expected = ['ADDED b', 'DELETED a'];
		expect(names(store.changesSince('configmaps', 1))).toEqual(expected);
		expect(names(store.changesSince('configmaps', 4))).toEqual([]);
		store.close();
		const again = open();
		expect(names(again.changesSince('configmaps', 1))).toEqual(expected);
		again.close();
	});

	it('does not know what was compacted away before a restart, nor what has not happened', () => {
		const store = open({ compactBytes: 1 });
		store.put('configmaps', object('a'));
		store.put('configmaps', object('b'));
		expect(names(store.changesSince('configmaps', 1))).toEqual(['ADDED b']);
		expect(store.changesSince('configmaps', 3)).toBeUndefined();
		store.close();
		const again = open();
		expect(again.changesSince('configmaps', 1)).toBeUndefined();
		expect(names(again.changesSince('configmaps', 2))).toEqual([]);
		again.close();
	});

	it('forgets per resource', () => {
		const store = open({ historyLimit: 4 });
		store.put('nodes', object('n'));
		for (let value = 0; value < 20; value++) store.put('configmaps', object('a', value));
		expect(store.changesSince('configmaps', 1)).toBeUndefined();
		expect(names(store.changesSince('configmaps', 19))).toEqual(['MODIFIED a', 'MODIFIED a']);
		expect(names(store.changesSince('nodes', 0))).toEqual(['ADDED n']);
		store.close();
	});
});
