import { CodedError, type Signal, silentLogger, sleep } from '@tapestry/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Lease } from './builtin.ts';
import { createLeaderElector } from './leader.ts';
import { leases } from './resources.ts';
import { createFakeClock, type FakeClock, settle } from './testing/fake-clock.ts';
import { createMemoryApi, type MemoryApi } from './testing/memory-client.ts';
import type { KubeClient } from './types.ts';

const name = { namespace: 'kube-system', name: 'tapestry' };
const holder = (api: MemoryApi): string | undefined => (api.read(leases, name) as Lease | undefined)?.spec?.holderIdentity;
const lost = (): CodedError => new CodedError('KUBE_UNAVAILABLE', 'lost');

class Candidate {
	leading = false;
	terms = 0;
	readonly #abort = new AbortController();
	readonly ended: Promise<void>;

	constructor(clock: FakeClock, client: KubeClient, identity: string, onLead: () => void = () => {}) {
		const elector = createLeaderElector({ client, clock, random: () => 0, log: silentLogger }, { ...name, identity });
		this.ended = elector.run(this.#abort.signal, {
			onStarted: async (signal: Signal) => {
				this.terms += 1;
				this.leading = true;
				signal.addEventListener('abort', () => {
					this.leading = false;
				});
				onLead();
			},
		});
	}

	async stop(): Promise<void> {
		this.#abort.abort();
		await this.ended;
	}
}

describe('leader election', () => {
	it('elects one candidate, keeps it, and hands over at once when it ends', async () => {
		const [api, clock] = [createMemoryApi(), createFakeClock()];
		const a = new Candidate(clock, api.client(), 'a');
		await settle();
		const b = new Candidate(clock, api.client(), 'b');
		await clock.advance(60_000);
		expect([a.leading, b.leading, holder(api)]).toEqual([true, false, 'a']);
		await a.stop();
		await settle();
		expect([a.leading, b.leading, holder(api)]).toEqual([false, true, 'b']);
		expect((api.read(leases, name) as Lease).spec?.leaseTransitions).toBe(1);
		await b.stop();
		expect(holder(api)).toBe('');
	});

	it('stops a leader that cannot renew before another can take the lease', async () => {
		const [api, clock] = [createMemoryApi(), createFakeClock()];
		let cut = false;
		const a = new Candidate(
			clock,
			api.client(async (_, next) => (cut ? Promise.reject(lost()) : next())),
			'a',
		);
		await settle();
		const b = new Candidate(clock, api.client(), 'b');
		await clock.advance(3_000);
		cut = true;
		await clock.advance(8_900);
		expect([a.leading, b.leading]).toEqual([true, false]);
		await clock.advance(200);
		expect([a.leading, b.leading]).toEqual([false, false]);
		await clock.advance(5_000);
		expect([a.leading, b.leading]).toEqual([false, true]);
		cut = false;
		await clock.advance(60_000);
		expect([a.leading, b.leading]).toEqual([false, true]);
		await Promise.all([a.stop(), b.stop()]);
	});

	it('keeps its lease when somebody else writes metadata or an answer is lost', async () => {
		const [api, clock] = [createMemoryApi(), createFakeClock()];
		let loseAnswer = false;
		const client = api.client(async (verb, next) => {
			const answer = next();
			if (!loseAnswer || verb !== 'replace') return answer;
			loseAnswer = false;
			throw lost();
		});
		const a = new Candidate(clock, client, 'a');
		await clock.advance(3_000);
		loseAnswer = true;
		await clock.advance(30_000);
		await api.client().patch(leases, name, 'application/merge-patch+json', { metadata: { labels: { x: 'y' } } });
		await clock.advance(30_000);
		expect([a.leading, a.terms]).toEqual([true, 1]);
		await a.stop();
	});

	it('hands over at once when it ends in the middle of a renewal', async () => {
		const [api, clock] = [createMemoryApi(), createFakeClock()];
		let isSlow = false;
		const a = new Candidate(
			clock,
			api.client(async (verb, next, signal) => {
				const answer = next();
				if (isSlow && verb === 'replace') {
					isSlow = false;
					await sleep(clock, 60_000, signal);
				}
				return answer;
			}),
			'a',
		);
		await settle();
		isSlow = true;
		await clock.advance(2_000);
		expect([isSlow, holder(api)]).toEqual([false, 'a']);
		await a.stop();
		expect(holder(api)).toBe('');
	});

	it('is not freed at once by deleting the lease', async () => {
		const [api, clock] = [createMemoryApi(), createFakeClock()];
		const a = new Candidate(clock, api.client(), 'a');
		await settle();
		const b = new Candidate(clock, api.client(), 'b');
		await clock.advance(5_000);
		await api.client().remove(leases, name);
		await clock.advance(1_500);
		// The old leader notices, stops, and is the only one who may take it again.
		expect([a.leading, a.terms, b.terms]).toEqual([true, 2, 0]);
		await Promise.all([a.stop(), b.stop()]);
	});

	it('releases the lease and fails when the leader fails', async () => {
		const [api, clock] = [createMemoryApi(), createFakeClock()];
		const a = new Candidate(clock, api.client(), 'a', () => {
			throw new Error('cannot lead');
		});
		await expect(a.ended).rejects.toThrow('cannot lead');
		expect(holder(api)).toBe('');
	});

	it('never has two leaders, whatever the network delays or loses', async () => {
		const fault = fc.record({
			before: fc.nat(20_000),
			after: fc.nat(20_000),
			fate: fc.constantFrom('fine', 'fine', 'fine', 'request', 'answer'),
		});
		const faults = fc.array(fault, { minLength: 1, maxLength: 20 });
		await fc.assert(
			fc.asyncProperty(faults, faults, faults, async (...scripts) => {
				const [api, clock] = [createMemoryApi(), createFakeClock()];
				const candidates: Candidate[] = [];
				let overlaps = 0;
				for (const [index, script] of scripts.entries()) {
					let turn = 0;
					const client = api.client(async (_verb, next, signal) => {
						const { before, after, fate } = script[turn++ % script.length]!;
						// Every other request is quick: otherwise nobody ever leads for long.
						await sleep(clock, turn % 2 ? before : 10, signal);
						if (fate === 'request') throw lost();
						const answer = next();
						await sleep(clock, turn % 2 ? after : 10, signal);
						if (fate === 'answer') throw lost();
						return answer;
					});
					candidates.push(
						new Candidate(clock, client, `c${index}`, () => {
							if (candidates.filter((candidate) => candidate.leading).length > 1) overlaps += 1;
						}),
					);
				}
				await clock.advance(300_000);
				const ended = Promise.all(candidates.map((candidate) => candidate.stop()));
				await clock.advance(300_000);
				await ended;
				expect(overlaps).toBe(0);
			}),
			{ numRuns: 30 },
		);
	});
});
