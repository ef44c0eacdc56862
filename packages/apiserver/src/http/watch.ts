import type { ServerResponse } from 'node:http';
import type { Clock } from '@tapestry/base';
import { ApiError, type Status, statusOf } from '../errors.ts';
import type { ApiObject } from '../objects.ts';
import type { Predicate } from '../rest/selectors.ts';
import type { Change } from '../storage/history.ts';
import type { Store } from '../storage/store.ts';
import { renderBookmark, renderObject, type View } from './render.ts';

export interface WatchDeps {
	readonly store: Store;
	readonly clock: Clock;
	readonly encoder: EventEncoder;
	/** Removes the watch when the server or the kind ends; returns the way out. */
	readonly register: (resource: string, end: () => void) => () => void;
}

export interface WatchOptions {
	readonly namespace: string | undefined;
	readonly matches: Predicate;
	/** Undefined or 0: begin with the present objects as ADDED. */
	readonly resourceVersion: number | undefined;
	readonly sendInitialEvents: boolean;
	readonly bookmarks: boolean;
	/** Milliseconds. */
	readonly timeout: number;
}

type EventType = Change['type'];

/** A client that takes its events slower than they come must list again; until then they pile up here. */
const longestBacklog = 32 << 20;
const bookmarkInterval = 60_000;

/** Answers a watch: the events so far, then each change as it is stored, until the client, the timeout or the server ends it. */
export function serveWatch(deps: WatchDeps, response: ServerResponse, view: View, options: WatchOptions): void {
	const { store, clock, encoder } = deps;
	const { resource } = view.endpoint.kind;
	const { namespace, matches, bookmarks } = options;
	const covers = (object: ApiObject): boolean =>
		(namespace === undefined || (object.metadata.namespace ?? '') === namespace) && matches(object);
	// Changes that the selectors hide move a bookmark on all the same.
	let bookmarked = store.resourceVersion;

	response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
	response.flushHeaders();
	const write = (line: string): void => {
		if (response.destroyed) return;
		response.write(line);
		if (response.writableLength > longestBacklog) response.destroy();
	};
	const bookmark = (initialEventsEnd: boolean): void => {
		bookmarked = store.resourceVersion;
		write(`${JSON.stringify({ type: 'BOOKMARK', object: renderBookmark(view, bookmarked, initialEventsEnd) })}\n`);
	};
	const follow = (change: Change): void => {
		const type = eventType(change, covers);
		if (type) write(encoder.encode(view, change, type));
	};

	const { resourceVersion } = options;
	if (!resourceVersion || options.sendInitialEvents) {
		for (const object of store.list(resource, namespace)) {
			if (matches(object)) write(`${JSON.stringify({ type: 'ADDED', object: renderObject(view, object) })}\n`);
		}
		if (options.sendInitialEvents) bookmark(true);
	} else {
		const changes = store.changesSince(resource, resourceVersion);
		if (!changes) {
			response.end(`${JSON.stringify({ type: 'ERROR', object: expired(resourceVersion, store.resourceVersion) })}\n`);
			return;
		}
		for (const change of changes) follow(change);
	}

	const end = (): void => {
		stop();
		if (bookmarks && bookmarked !== store.resourceVersion) bookmark(false);
		response.end();
	};
	const unsubscribe = store.subscribe(resource, follow);
	const unregister = deps.register(resource, end);
	const cancelTimeout = clock.after(options.timeout, end);
	let cancelBookmark = (): void => {};
	const keepMarking = (): void => {
		cancelBookmark = clock.after(bookmarkInterval, () => {
			if (bookmarked !== store.resourceVersion) bookmark(false);
			keepMarking();
		});
	};
	if (bookmarks) keepMarking();
	const stop = (): void => {
		unsubscribe();
		unregister();
		cancelTimeout();
		cancelBookmark();
	};
	response.once('close', stop);
}

/** The change as a watcher sees it whose selector may begin or cease to match. */
function eventType({ type, before, object }: Change, covers: Predicate): EventType | undefined {
	const was = before !== undefined && covers(before);
	const is = type !== 'DELETED' && covers(object);
	if (was && is) return 'MODIFIED';
	return is ? 'ADDED' : was ? 'DELETED' : undefined;
}

function expired(asked: number, current: number): Status {
	return statusOf(new ApiError('Expired', `too old resource version: ${asked} (${current})`));
}

/** Renders a change once for all watchers that want the same of it. */
export class EventEncoder {
	#change: Change | undefined;
	readonly #lines = new Map<string, string>();

	encode(view: View, change: Change, type: EventType): string {
		if (this.#change !== change) {
			this.#change = change;
			this.#lines.clear();
		}
		const { endpoint, shape, version, includeObject } = view;
		const key = `${type} ${endpoint.group}/${endpoint.version} ${shape} ${version} ${includeObject}`;
		const known = this.#lines.get(key);
		if (known !== undefined) return known;
		const line = `${JSON.stringify({ type, object: renderObject(view, change.object) })}\n`;
		this.#lines.set(key, line);
		return line;
	}
}
