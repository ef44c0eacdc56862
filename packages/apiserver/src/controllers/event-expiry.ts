import type { Clock } from '@tapestry/base';
import { type ApiObject, keyOf } from '../objects.ts';
import type { RestContext } from '../rest/context.ts';

/** kube-apiserver's --event-ttl. */
const lifetime = 3_600_000;

/** Removes Events an hour after they were last written. Returns the way out. */
export function startEventExpiry({ clock }: { readonly clock: Clock }, { store }: RestContext): () => void {
	/** When each event ends, the next one first: every write puts its event last. */
	const ends = new Map<string, { readonly at: number; readonly object: ApiObject }>();
	let cancel: (() => void) | undefined;

	const schedule = (): void => {
		const [first] = ends.values();
		if (!first || cancel) return;
		cancel = clock.after(Math.max(0, first.at - clock.now()), () => {
			cancel = undefined;
			expire();
			schedule();
		});
	};
	const expire = (): void => {
		for (const { at, object } of [...ends.values()]) {
			if (at > clock.now()) return;
			store.remove('events', object.metadata.namespace ?? '', object.metadata.name);
		}
	};
	const keep = (object: ApiObject): void => {
		ends.delete(keyOf(object.metadata));
		ends.set(keyOf(object.metadata), { at: clock.now() + lifetime, object });
		schedule();
	};
	// After a restart, events get a new hour: their last write is not recorded.
	for (const event of store.scan('events')) keep(event);
	const unsubscribe = store.subscribe('events', ({ type, object }) => {
		if (type === 'DELETED') ends.delete(keyOf(object.metadata));
		else keep(object);
	});
	return () => {
		unsubscribe();
		cancel?.();
	};
}
