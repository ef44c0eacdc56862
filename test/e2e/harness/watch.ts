import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { createKubeClient, createReflector, type KubeConnection, type KubeObject, type Reflector, type Resource } from '@tapestry/kube';
import { changesOf, until } from '../../../packages/base/src/testing/until.ts';
import { sharedLab } from './lab.ts';

const io = { clock: systemClock, random: Math.random, log: silentLogger };

/** A machine may have to start, or a node to be found lost. */
const patienceMs = 90_000;

export const eventResource: Resource = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

export interface LabEvent extends KubeObject {
	readonly involvedObject: { readonly name: string };
	readonly message: string;
}

/** Live copies of the shared lab's objects of some kinds, to wait for what must come. */
export class LabWatch implements AsyncDisposable {
	readonly client: KubeConnection = createKubeClient(io, { kubeconfig: sharedLab().kubeconfig });
	readonly #reflectors: Reflector[] = [];

	/** All objects of a kind, or those of a namespace, by `namespace/name`. */
	async follow<T extends KubeObject>(resource: Resource, namespace?: string): Promise<ReadonlyMap<string, T>> {
		const reflector = createReflector<T>({ ...io, client: this.client }, { resource, ...(namespace === undefined ? {} : { namespace }) });
		this.#reflectors.push(reflector as unknown as Reflector);
		await reflector.synced(AbortSignal.timeout(30_000));
		return reflector.objects;
	}

	/** Resolves with what `find` returns, looked at after each change of anything that is followed. */
	until<T>(what: string, find: () => T | undefined | false): Promise<T> {
		return until(what, changesOf(...this.#reflectors), find, patienceMs);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await Promise.all(this.#reflectors.map((reflector) => reflector.close()));
		this.client.close();
	}
}
