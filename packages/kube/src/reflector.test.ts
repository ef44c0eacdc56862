import { CodedError, silentLogger } from '@tapestry/base';
import { afterEach, describe, expect, it } from 'vitest';
import { createIndex } from './index-by.ts';
import { createReflector } from './reflector.ts';
import { createFakeClock, settle } from './testing/fake-clock.ts';
import { createScriptedClient } from './testing/scripted-client.ts';
import type { KubeObject, ObjectChange, Reflector } from './types.ts';

const resource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
const pod = (name: string, version: number, uid = `uid-${name}`): KubeObject => ({
	metadata: { name, namespace: 'a', uid, resourceVersion: String(version) },
});
const list = (version: number, ...items: KubeObject[]) => ({ resourceVersion: String(version), items });

const opened: Reflector[] = [];
afterEach(async () => {
	for (const reflector of opened.splice(0)) await reflector.close();
});

function start() {
	const script = createScriptedClient();
	const clock = createFakeClock();
	const changes: string[] = [];
	const open = (): Reflector => {
		const reflector = createReflector({ client: script.client, clock, random: () => 0, log: silentLogger }, { resource });
		reflector.onChange((change) => changes.push(describeChange(change)));
		opened.push(reflector);
		return reflector;
	};
	return { ...script, script, clock, changes, open };
}

const versionOf = (object: KubeObject | undefined): string => object?.metadata.resourceVersion ?? '-';
const describeChange = (change: ObjectChange<KubeObject>): string => `${change.key} ${versionOf(change.before)}>${versionOf(change.after)}`;

describe('reflector', () => {
	it('lists, watches from the list, and reports each change after it is visible', async () => {
		const { lists, watching, changes, open } = start();
		lists.push(list(5, pod('x', 3)));
		const reflector = open();
		const seen: (KubeObject | undefined)[] = [];
		reflector.onChange(({ key }) => seen.push(reflector.objects.get(key)));
		await reflector.synced();
		const watch = await watching(1);
		expect(watch.resourceVersion).toBe('5');
		watch.push({ type: 'ADDED', object: pod('y', 6) });
		watch.push({ type: 'MODIFIED', object: pod('x', 7) });
		watch.push({ type: 'DELETED', object: pod('y', 8) });
		await settle();
		expect(changes).toEqual(['a/x ->3', 'a/y ->6', 'a/x 3>7', 'a/y 6>-']);
		expect(seen.map(versionOf)).toEqual(['3', '6', '7', '-']);
		expect([...reflector.objects.keys()]).toEqual(['a/x']);
		expect(reflector.resourceVersion).toBe('8');
	});

	it('resumes at the last bookmark after a disconnect, without a list', async () => {
		const { lists, watching, clock, open, script } = start();
		lists.push(list(5));
		open();
		const first = await watching(1);
		first.push({ type: 'BOOKMARK', resourceVersion: '40' });
		first.end(new CodedError('KUBE_UNAVAILABLE', 'cut'));
		await clock.advance(100);
		expect((await watching(2)).resourceVersion).toBe('40');
		expect(script.listed).toBe(1);
	});

	it('lists again when the history is gone and reports only differences', async () => {
		const { lists, watching, clock, changes, open, script } = start();
		lists.push(list(5, pod('same', 1), pod('changed', 2), pod('gone', 3), pod('again', 4, 'old')));
		open();
		const watch = await watching(1);
		changes.length = 0;
		lists.push(list(50, pod('same', 1), pod('changed', 42), pod('again', 44, 'new'), pod('new', 45)));
		watch.end(new CodedError('KUBE_GONE', 'too old'));
		await clock.advance(100);
		expect((await watching(2)).resourceVersion).toBe('50');
		expect(script.listed).toBe(2);
		expect(changes).toEqual(['a/gone 3>-', 'a/again 4>-', 'a/changed 2>42', 'a/again ->44', 'a/new ->45']);
	});

	it('waits longer after each failure and starts over after progress', async () => {
		const { lists, watching, clock, open, script } = start();
		for (let i = 0; i < 10; i += 1) lists.push(new CodedError('KUBE_UNAVAILABLE', 'down'));
		lists.push(list(5));
		open();
		await settle();
		const pauses: number[] = [];
		while (script.watches.length === 0) {
			const pause = clock.nextIn()!;
			pauses.push(pause);
			await clock.advance(pause);
		}
		expect(pauses).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
		const watch = await watching(1);
		watch.push({ type: 'BOOKMARK', resourceVersion: '6' });
		watch.end();
		await settle();
		expect(clock.nextIn()).toBe(50);
	});

	it('does not hammer a server that ends every watch at once, even after a bookmark that brings nothing new', async () => {
		const { lists, watching, clock, open } = start();
		lists.push(list(5));
		open();
		const pauses: (number | undefined)[] = [];
		for (let i = 1; i <= 4; i += 1) {
			const watch = await watching(i);
			watch.push({ type: 'BOOKMARK', resourceVersion: '5' });
			watch.end();
			await settle();
			pauses.push(clock.nextIn());
			await clock.advance(pauses.at(-1)!);
		}
		expect(pauses).toEqual([50, 100, 200, 400]);
	});

	it('goes on when a listener throws', async () => {
		const { lists, watching, changes, open } = start();
		lists.push(list(5));
		const reflector = open();
		reflector.onChange(() => {
			throw new Error('a bug');
		});
		const watch = await watching(1);
		watch.push({ type: 'ADDED', object: pod('x', 6) });
		watch.push({ type: 'ADDED', object: pod('y', 7) });
		await settle();
		expect(changes).toEqual(['a/x ->6', 'a/y ->7']);
	});

	it('rejects synced when closed first, and falls silent', async () => {
		const { lists, open } = start();
		lists.push(new CodedError('KUBE_UNAVAILABLE', 'down'));
		const reflector = open();
		const synced = expect(reflector.synced()).rejects.toThrow('closed');
		await reflector.close();
		await synced;
	});

	it('keeps an index current', async () => {
		const { lists, watching, open } = start();
		lists.push(list(5, pod('x', 1, 'one'), pod('y', 2, 'two')));
		const reflector = open();
		await reflector.synced();
		const index = createIndex(reflector, (object) => [object.metadata.uid!]);
		const names = (key: string) => [...index.get(key)].map((object) => object.metadata.name);
		expect(names('one')).toEqual(['x']);
		const watch = await watching(1);
		watch.push({ type: 'MODIFIED', object: pod('x', 6, 'two') });
		watch.push({ type: 'DELETED', object: pod('y', 7) });
		await settle();
		expect(names('one')).toEqual([]);
		expect(names('two')).toEqual(['x']);
	});
});
