import { type Clock, CodedError, isAbort, isCoded, type Signal, sleep } from '@tapestry/base';
import type { Lease, LeaseSpec } from './builtin.ts';
import { microTimestamp } from './conditions.ts';
import { createReflector } from './reflector.ts';
import { leases } from './resources.ts';
import { type KubeDeps, keyOf, type Reflector } from './types.ts';

export interface LeaderElectorOptions {
	readonly name: string;
	readonly namespace: string;
	/** Unique among running candidates. A restarted process of the same identity leads again at once. */
	readonly identity: string;
	/** Others may take the lease when it was not renewed for so long, in milliseconds. @default 15000 */
	readonly leaseMs?: number;
	/** The leader stops when it could not renew for so long; less than `leaseMs`. @default 10000 */
	readonly renewMs?: number;
	/** Pause between renewals, and after a failed attempt. @default 2000 */
	readonly retryMs?: number;
}

export interface LeaderCallbacks {
	/** Leads until the signal is aborted, and must have stopped `leaseMs - renewMs` later. A failure releases the lease and ends `run`. */
	onStarted(signal: Signal): Promise<void>;
	/** Called when `onStarted` has settled. */
	onStopped?(): void;
}

/**
 * Leader election on a coordination.k8s.io Lease, compatible with client-go's. Each write carries the resourceVersion that was observed, and
 * time is counted from when a renewal was sent (by the leader) or seen (by others), on monotonic clocks: clock skew does no harm. A process that is
 * stopped for longer than `leaseMs` and then continued cannot know it; what it writes must be fenced by other means.
 */
export interface LeaderElector {
	/** True while `onStarted`'s signal is not aborted. */
	readonly leading: boolean;
	/** Stands for election again and again until the signal is aborted; then lets the leader finish and releases the lease. */
	run(signal: Signal, callbacks: LeaderCallbacks): Promise<void>;
}

export function createLeaderElector(deps: KubeDeps, options: LeaderElectorOptions): LeaderElector {
	return new Elector(deps, options);
}

interface Held {
	readonly lease: Lease;
	/** When the request that renewed it was sent, in monotonic milliseconds. */
	readonly sent: number;
}

interface Seen {
	readonly lease: Lease | undefined;
	/** When this process saw the lease change last, in monotonic milliseconds. */
	readonly at: number;
}

class Elector implements LeaderElector {
	readonly #deps: KubeDeps;
	readonly #options: Required<LeaderElectorOptions>;
	#leading = false;

	constructor(deps: KubeDeps, options: LeaderElectorOptions) {
		this.#deps = { ...deps, log: deps.log.child({ lease: options.name, identity: options.identity }) };
		this.#options = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000, ...options };
	}

	get leading(): boolean {
		return this.#leading;
	}

	async run(signal: Signal, callbacks: LeaderCallbacks): Promise<void> {
		const { name, namespace } = this.#options;
		const selection = { namespace, fieldSelector: `metadata.name=${name}` };
		await using reflector = createReflector<Lease>(this.#deps, { resource: leases, ...selection });
		let seen: Seen = { lease: undefined, at: 0 };
		// Who deletes a lease does not stop its holder: it stays taken until it would have expired.
		reflector.onChange(({ before, after }) => {
			seen = { lease: after ?? before, at: after === undefined ? seen.at : this.#deps.clock.monotonic() };
		});
		while (!signal.aborted) {
			try {
				await reflector.synced(signal);
				const held = await this.#acquire(reflector, () => seen, signal);
				await this.#lead(held, signal, callbacks);
			} catch (error) {
				if (signal.aborted && error === signal.reason) return;
				throw error;
			}
		}
	}

	async #acquire(reflector: Reflector<Lease>, seen: () => Seen, signal: Signal): Promise<Held> {
		const { clock, client, log } = this.#deps;
		const { name, namespace, identity, leaseMs, renewMs, retryMs } = this.#options;
		for (;;) {
			const lease = reflector.objects.get(keyOf({ metadata: { name, namespace } }));
			const expiresIn = this.#takenUntil(seen()) - clock.monotonic();
			if (expiresIn > 0) {
				await changeOrTimeout(clock, reflector, expiresIn, signal);
				continue;
			}
			const sent = clock.monotonic();
			const now = microTimestamp(clock.now());
			const transitions = lease?.spec?.leaseTransitions ?? 0;
			const again = lease === undefined || lease.spec?.holderIdentity === identity;
			const spec: LeaseSpec = {
				holderIdentity: identity,
				leaseDurationSeconds: Math.ceil(leaseMs / 1000),
				acquireTime: now,
				renewTime: now,
				leaseTransitions: again ? transitions : transitions + 1,
			};
			try {
				const written =
					lease === undefined
						? await client.create<Lease>(leases, { metadata: { name, namespace }, spec }, { signal })
						: await client.replace<Lease>(leases, { ...lease, spec }, { signal });
				// An answer that comes this late may have been overtaken by another leader.
				if (clock.monotonic() - sent < renewMs) return { lease: written, sent };
			} catch (error) {
				if (signal.aborted) throw error;
				if (!isCoded(error, 'KUBE_CONFLICT') && !isCoded(error, 'KUBE_EXISTS')) log.warn('cannot take the lease', { error });
			}
			await changeOrTimeout(clock, reflector, retryMs, signal);
		}
	}

	async #lead(held: Held, signal: Signal, callbacks: LeaderCallbacks): Promise<void> {
		const { log } = this.#deps;
		const work = new AbortController();
		const settled = new AbortController();
		const stop = (): void => {
			this.#leading = false;
			work.abort(signal.reason ?? new CodedError('ABORTED', 'this process no longer leads'));
		};
		signal.addEventListener('abort', stop, { once: true });
		log.info('leading');
		this.#leading = true;
		// Renewing goes on while the work finishes, so that a slow end is not overlapped by the next leader.
		const renewing = this.#renew(held, settled.signal, stop);
		let failure: { readonly error: unknown } | undefined;
		try {
			if (signal.aborted) stop();
			await callbacks.onStarted(work.signal);
			await aborted(work.signal);
		} catch (error) {
			if (!work.signal.aborted) failure = { error };
			else if (!isAbort(error) && error !== work.signal.reason) log.warn('the leader failed while it stopped', { error });
		}
		this.#leading = false;
		signal.removeEventListener('abort', stop);
		settled.abort();
		const last = await renewing;
		callbacks.onStopped?.();
		log.info('no longer leading', { lost: last === undefined });
		if (last !== undefined) await this.#release(last);
		if (failure) throw failure.error;
	}

	/** Returns the lease as it was last renewed when the signal ends it, or undefined when it is lost; calls `onLost` then. */
	async #renew(held: Held, signal: AbortSignal, onLost: () => void): Promise<Lease | undefined> {
		const { clock, client, log } = this.#deps;
		const { name, namespace, renewMs, retryMs } = this.#options;
		const expired = new AbortController();
		const expireAt = (time: number): (() => void) => clock.after(time - clock.monotonic(), () => expired.abort());
		const either = AbortSignal.any([signal, expired.signal]);
		expired.signal.addEventListener('abort', onLost, { once: true });
		let cancel = expireAt(held.sent + renewMs);
		let { lease } = held;
		try {
			for (;;) {
				await sleep(clock, retryMs, either);
				const sent = clock.monotonic();
				try {
					const spec = { ...lease.spec, renewTime: microTimestamp(clock.now()) };
					lease = await client.replace<Lease>(leases, { ...lease, spec }, { signal: either });
				} catch (error) {
					if (either.aborted) throw error;
					log.warn('the lease was not renewed', { error });
					if (isCoded(error, 'KUBE_NOT_FOUND')) expired.abort();
					if (!isCoded(error, 'KUBE_CONFLICT')) continue;
					const current = await client.get<Lease>(leases, { name, namespace }, { signal: either }).catch(() => undefined);
					if (current === undefined) continue;
					if (isSameTerm(current, held.lease)) lease = current;
					else expired.abort();
					continue;
				}
				cancel();
				cancel = expireAt(sent + renewMs);
			}
		} catch (error) {
			if (!either.aborted) throw error;
			return expired.signal.aborted ? undefined : lease;
		} finally {
			cancel();
		}
	}

	async #release(lease: Lease): Promise<void> {
		const { client, log } = this.#deps;
		const { name, namespace } = this.#options;
		const free = (current: Lease): Promise<Lease> =>
			client.replace<Lease>(leases, { ...current, spec: { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1 } });
		try {
			await free(lease).catch(async (error: unknown) => {
				if (!isCoded(error, 'KUBE_CONFLICT')) throw error;
				const current = await client.get<Lease>(leases, { name, namespace });
				if (isSameTerm(current, lease)) await free(current);
			});
		} catch (error) {
			log.warn('the lease was not released', { error });
		}
	}

	/** Monotonic milliseconds; in the past when the lease is free or our own. */
	#takenUntil({ lease, at }: Seen): number {
		const { holderIdentity, leaseDurationSeconds } = lease?.spec ?? {};
		const free = !holderIdentity || holderIdentity === this.#options.identity;
		return free ? 0 : at + (leaseDurationSeconds ?? this.#options.leaseMs / 1000) * 1000;
	}
}

/** The answer to a renewal may have been lost, or somebody labelled the lease: the same leader still has it by its acquireTime. */
function isSameTerm({ spec: a }: Lease, { spec: b }: Lease): boolean {
	return a?.holderIdentity === b?.holderIdentity && a?.acquireTime === b?.acquireTime;
}

/** Resolves at the next change of the lease, or after `ms`. */
function changeOrTimeout(clock: Clock, reflector: Reflector<Lease>, ms: number, signal: Signal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal.aborted) return reject(signal.reason);
		const finish = (settle: () => void) => () => {
			cancel();
			stop();
			signal.removeEventListener('abort', onAbort);
			settle();
		};
		const onAbort = finish(() => reject(signal.reason));
		const stop = reflector.onChange(finish(resolve));
		const cancel = clock.after(ms, finish(resolve));
		signal.addEventListener('abort', onAbort, { once: true });
	});
}

function aborted(signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (signal.aborted) resolve();
		else signal.addEventListener('abort', () => resolve(), { once: true });
	});
}
