import { isCoded } from '@tapestry/base';
import type { Event, EventType, ObjectReference } from './builtin.ts';
import { timestamp } from './conditions.ts';
import { apiVersionOf } from './paths.ts';
import { events } from './resources.ts';
import { type KubeDeps, type KubeObject, keyOf, type Resource } from './types.ts';

export interface EventText {
	readonly type: EventType;
	/** CamelCase, for machines. */
	readonly reason: string;
	readonly message: string;
}

/** Tells users what happened to an object, as `kubectl describe` shows it. */
export interface EventRecorder {
	/** Never fails and never waits. The same text about the same object again only counts up its Event. */
	record(resource: Resource, object: KubeObject, text: EventText): void;
	/** Resolves when all that was recorded so far has been sent, or given up. */
	flush(): Promise<void>;
}

/** Texts remembered for counting; the oldest are forgotten and start over at one. */
const remembered = 1000;

/** The API server cuts nothing: it refuses longer messages. Source: core/v1 Event validation. */
const longestMessage = 1024;

/** `component` is the program's name in the events. */
export function createEventRecorder(deps: KubeDeps, options: { readonly component: string }): EventRecorder {
	return new Recorder(deps, options.component);
}

interface Entry {
	readonly event: Event;
	/** Times recorded. */
	count: number;
	/** Times that the API server knows of. */
	sent: number;
	last: number;
	writing: Promise<void> | undefined;
}

class Recorder implements EventRecorder {
	readonly #deps: KubeDeps;
	readonly #component: string;
	readonly #entries = new Map<string, Entry>();
	readonly #writing = new Set<Promise<void>>();

	constructor(deps: KubeDeps, component: string) {
		this.#deps = deps;
		this.#component = component;
	}

	record(resource: Resource, object: KubeObject, text: EventText): void {
		const now = this.#deps.clock.now();
		const key = JSON.stringify([resource.kind, object.metadata.uid ?? keyOf(object), text.type, text.reason, text.message]);
		const entry = this.#entries.get(key) ?? {
			event: this.#eventOf(resource, object, text, now),
			count: 0,
			sent: 0,
			last: now,
			writing: undefined,
		};
		// Set again, so that the map's order is that of the last use.
		this.#entries.delete(key);
		this.#entries.set(key, entry);
		for (const oldest of this.#entries.keys()) {
			if (this.#entries.size <= remembered) break;
			this.#entries.delete(oldest);
		}
		entry.count += 1;
		entry.last = now;
		// While one write is in flight, all that arrives becomes the next one.
		if (entry.writing !== undefined) return;
		const writing = this.#write(entry).finally(() => {
			entry.writing = undefined;
			this.#writing.delete(writing);
		});
		entry.writing = writing;
		this.#writing.add(writing);
	}

	async flush(): Promise<void> {
		await Promise.all(this.#writing);
	}

	async #write(entry: Entry): Promise<void> {
		const { log } = this.#deps;
		while (entry.sent < entry.count) {
			const { count } = entry;
			try {
				await this.#send(entry);
			} catch (error) {
				log.warn('event not recorded', { reason: entry.event.reason, message: entry.event.message, error });
				return;
			}
			entry.sent = count;
		}
	}

	async #send({ event, count, sent, last }: Entry): Promise<void> {
		const { client } = this.#deps;
		const { name, namespace = 'default' } = event.metadata;
		const lastTimestamp = timestamp(last);
		if (sent > 0) {
			try {
				await client.patch(events, { name, namespace }, 'application/merge-patch+json', { count, lastTimestamp });
				return;
			} catch (error) {
				// Events expire after an hour or so.
				if (!isCoded(error, 'KUBE_NOT_FOUND')) throw error;
			}
		}
		await client.create<Event>(events, { ...event, count, lastTimestamp });
	}

	#eventOf(resource: Resource, object: KubeObject, text: EventText, now: number): Event {
		const { name, namespace, uid, resourceVersion } = object.metadata;
		const involvedObject: ObjectReference = {
			apiVersion: apiVersionOf(resource),
			kind: resource.kind,
			name,
			...(namespace === undefined ? {} : { namespace }),
			...(uid === undefined ? {} : { uid }),
			...(resourceVersion === undefined ? {} : { resourceVersion }),
		};
		const unique = `${now.toString(16)}${Math.floor(this.#deps.random() * 0x1_0000)
			.toString(16)
			.padStart(4, '0')}`;
		return {
			// A name has at most 253 characters.
			metadata: { name: `${name.slice(0, 230)}.${unique}`, namespace: namespace ?? 'default' },
			involvedObject,
			type: text.type,
			reason: text.reason,
			message: text.message.length > longestMessage ? `${text.message.slice(0, longestMessage - 3)}...` : text.message,
			source: { component: this.#component },
			firstTimestamp: timestamp(now),
		};
	}
}
