import type { Fragment, Owner } from '../plan/model.ts';
import type { Kind } from '../world/objects.ts';
import type { Question, Read, World } from '../world/world.ts';
import { compileNode } from './node.ts';
import { compilePort } from './port.ts';
import { compileService } from './service.ts';
import { compileSubnet } from './subnet.ts';
import { compileVpc } from './vpc.ts';

/** What each kind of object owes. The functions see nothing but `read`, so equal worlds give equal fragments. */
const compilers: { readonly [K in Kind]?: (key: string, read: Read) => Fragment } = {
	Vpc: compileVpc,
	Subnet: compileSubnet,
	IP: compilePort,
	Node: compileNode,
	Service: compileService,
};

/** Compiles one object. */
export function compile(kind: Kind, key: string, read: Read): Fragment {
	return compilers[kind]?.(key, read) ?? { rows: [] };
}

/** Compiles everything, for a check of what incremental work led to. */
export function compileAll(world: World): ReadonlyMap<Owner, Fragment> {
	const read = world.reader(() => {});
	const fragments = new Map<Owner, Fragment>();
	for (const kind of Object.keys(compilers) as Kind[]) {
		for (const key of world.keys(kind)) fragments.set(`${kind}/${key}`, compile(kind, key, read));
	}
	return fragments;
}

interface Target {
	readonly kind: Kind;
	readonly key: string;
	questions: ReadonlySet<Question>;
}

/** Keeps the fragments of a world up to date: compiles again what asked a question whose answer changed, and nothing else. */
export class Compiler {
	readonly #world: World;
	readonly #targets = new Map<Owner, Target>();
	readonly #askers = new Map<Question, Set<Owner>>();
	readonly #dirty = new Set<Owner>();
	readonly #unsubscribe: () => void;

	constructor(world: World) {
		this.#world = world;
		for (const kind of Object.keys(compilers) as Kind[]) for (const key of world.keys(kind)) this.#mark(kind, key);
		this.#unsubscribe = world.onChange((kind, key, questions) => {
			this.#mark(kind, key);
			for (const question of questions) for (const owner of this.#askers.get(question) ?? []) this.#dirty.add(owner);
		});
	}

	get hasDirty(): boolean {
		return this.#dirty.size > 0;
	}

	/** Compiles what is out of date; `undefined` for objects that are gone. */
	*update(): Generator<readonly [Owner, Fragment | undefined]> {
		const owners = [...this.#dirty];
		this.#dirty.clear();
		for (const owner of owners) {
			const target = this.#targets.get(owner);
			if (!target) continue;
			this.#forget(owner, target);
			if (this.#world.get(target.kind, target.key) === undefined) {
				this.#targets.delete(owner);
				yield [owner, undefined];
				continue;
			}
			const questions = new Set<Question>();
			const fragment = compile(
				target.kind,
				target.key,
				this.#world.reader((question) => questions.add(question)),
			);
			target.questions = questions;
			for (const question of questions) this.#askers.set(question, (this.#askers.get(question) ?? new Set()).add(owner));
			yield [owner, fragment];
		}
	}

	close(): void {
		this.#unsubscribe();
	}

	#mark(kind: Kind, key: string): void {
		if (!compilers[kind]) return;
		const owner = `${kind}/${key}`;
		if (!this.#targets.has(owner)) this.#targets.set(owner, { kind, key, questions: new Set() });
		this.#dirty.add(owner);
	}

	#forget(owner: Owner, target: Target): void {
		for (const question of target.questions) {
			const askers = this.#askers.get(question);
			askers?.delete(owner);
			if (askers?.size === 0) this.#askers.delete(question);
		}
	}
}
