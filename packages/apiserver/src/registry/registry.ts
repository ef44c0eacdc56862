import { apiVersionOf } from '@tapestry/kube';
import type { Endpoint, Kind } from './kind.ts';

/** The kinds that are served right now: the built-in ones, and those of CustomResourceDefinitions. */
export class Registry {
	readonly #kinds = new Map<string, Kind>();
	readonly #endpoints = new Map<string, Endpoint>();
	readonly #listeners = new Set<(resource: string) => void>();

	constructor(builtin: readonly Kind[]) {
		for (const kind of builtin) this.set(kind);
	}

	/** Adds a kind, or replaces the one of the same resource. */
	set(kind: Kind): void {
		this.#drop(kind.resource);
		this.#kinds.set(kind.resource, kind);
		for (const served of kind.served) this.#endpoints.set(`${apiVersionOf(served)}/${kind.plural}`, { ...served, kind });
		this.#announce(kind.resource);
	}

	delete(resource: string): void {
		this.#drop(resource);
		this.#announce(resource);
	}

	kind(resource: string): Kind | undefined {
		return this.#kinds.get(resource);
	}

	kinds(): readonly Kind[] {
		return [...this.#kinds.values()];
	}

	/** The endpoint for work on objects whatever their version, as the server's own controllers do. */
	endpointOf(resource: string): Endpoint | undefined {
		const kind = this.#kinds.get(resource);
		return kind && { group: kind.group, version: '', status: false, subresources: [], ...kind.served[0], kind };
	}

	endpoint(group: string, version: string, plural: string): Endpoint | undefined {
		return this.#endpoints.get(`${apiVersionOf({ group, version })}/${plural}`);
	}

	endpoints(): readonly Endpoint[] {
		return [...this.#endpoints.values()];
	}

	/** Groups in the order of discovery (the core group, '', first), each with its versions, the preferred one first. */
	groups(): ReadonlyMap<string, readonly string[]> {
		const groups = new Map<string, string[]>();
		for (const { group, version } of this.#endpoints.values()) {
			const versions = groups.get(group) ?? [];
			if (!versions.includes(version)) versions.push(version);
			groups.set(group, versions);
		}
		for (const versions of groups.values()) versions.sort(compareVersions);
		return groups;
	}

	/** Calls `listener` with the resource whose kind was added, replaced or removed. */
	onChange(listener: (resource: string) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#drop(resource: string): void {
		const kind = this.#kinds.get(resource);
		for (const served of kind?.served ?? []) this.#endpoints.delete(`${apiVersionOf(served)}/${kind?.plural}`);
		this.#kinds.delete(resource);
	}

	#announce(resource: string): void {
		for (const listener of this.#listeners) listener(resource);
	}
}

/**
 * The order of preference of versions: GA before beta before alpha, higher numbers first, then other names alphabetically
 * (Kubernetes documentation, "Version priority" of CustomResourceDefinition versioning).
 */
export function compareVersions(a: string, b: string): number {
	const [left, right] = [rank(a), rank(b)];
	if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : a > b ? 1 : 0;
	return right.stage - left.stage || right.major - left.major || right.minor - left.minor;
}

function rank(version: string): { readonly stage: number; readonly major: number; readonly minor: number } | undefined {
	const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
	if (!match) return undefined;
	const stage = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0;
	return { stage, major: Number(match[1]), minor: Number(match[3] ?? 0) };
}
