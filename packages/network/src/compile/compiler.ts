import type { Fragment, Owner } from '../plan/model.ts';
import type { Kind } from '../world/objects.ts';
import type { Question, Read, World } from '../world/world.ts';
import { compileNode } from './node.ts';
import { compileAlways } from './policy/always.ts';
import { compileCombined } from './policy/combined.ts';
import { compileNamedPort, compileSelector } from './policy/groups.ts';
import { compileAdminPolicy, compileBaselinePolicy, compileNetworkPolicy } from './policy/policies.ts';
import { compileSecurityGroup } from './policy/security-group.ts';
import { compilePool } from './pool.ts';
import { compilePort } from './port.ts';
import { compileService } from './service.ts';
import { compileSubnet } from './subnet.ts';
import { compileSwitchLbRule } from './switch-lb-rule.ts';
import { compileVip } from './vip.ts';
import { compileVpc } from './vpc.ts';

type Compile = (key: string, read: Read) => Fragment;

/** What each kind of object owes. The functions see nothing but `read`, so equal worlds give equal fragments. */
const compilers: { readonly [K in Kind]?: Compile } = {
	Vpc: compileVpc,
	Subnet: compileSubnet,
	IP: compilePort,
	IPPool: compilePool,
	Vip: compileVip,
	Node: compileNode,
	Service: compileService,
	SwitchLBRule: compileSwitchLbRule,
	Selector: compileSelector,
	SecurityGroup: compileSecurityGroup,
	NetworkPolicy: compileNetworkPolicy,
	AdminNetworkPolicy: compileAdminPolicy,
	BaselineAdminNetworkPolicy: compileBaselinePolicy,
};

/** What is owed on behalf of other fragments' `needs`. */
const derived: Readonly<Record<string, Compile>> = {
	Always: compileAlways,
	Combination: compileCombined,
	NamedPort: compileNamedPort,
};

/** Compiles one object. */
export function compile(kind: string, key: string, read: Read): Fragment {
	return (compilers[kind as Kind] ?? derived[kind])?.(key, read) ?? { rows: [] };
}

/** Compiles everything, for a check of what incremental work led to. */
export function compileAll(world: World): ReadonlyMap<Owner, Fragment> {
	const read = world.reader(() => {});
	const fragments = new Map<Owner, Fragment>();
	for (const kind of Object.keys(compilers) as Kind[]) {
		for (const key of world.keys(kind)) fragments.set(`${kind}/${key}`, compile(kind, key, read));
	}
	// A map hands out what is added while it is walked.
	for (const { needs = [] } of fragments.values()) {
		for (const owner of needs) if (!fragments.has(owner)) fragments.set(owner, compile(...splitOwner(owner), read));
	}
	return fragments;
}

function splitOwner(owner: Owner): readonly [kind: string, key: string] {
	const at = owner.indexOf('/');
	return [owner.slice(0, at), owner.slice(at + 1)];
}

interface Target {
	readonly kind: string;
	readonly key: string;
	questions: ReadonlySet<Question>;
	needs: ReadonlySet<Owner>;
}

/** Keeps the fragments of a world up to date: compiles again what asked a question whose answer changed, and nothing else. */
export class Compiler {
	readonly #world: World;
	readonly #targets = new Map<Owner, Target>();
	readonly #askers = new Map<Question, Set<Owner>>();
	/** How many fragments need an owner. */
	readonly #needed = new Map<Owner, number>();
	readonly #dirty = new Set<Owner>();
	readonly #unsubscribe: () => void;

	constructor(world: World) {
		this.#world = world;
		for (const kind of Object.keys(compilers) as Kind[]) for (const key of world.keys(kind)) this.#mark(kind, key);
		this.#unsubscribe = world.onChange((kind, key, questions) => {
			if (compilers[kind]) this.#mark(kind, key);
			for (const question of questions) for (const owner of this.#askers.get(question) ?? []) this.#dirty.add(owner);
		});
	}

	get hasDirty(): boolean {
		return this.#dirty.size > 0;
	}

	/** Compiles what is out of date; `undefined` for objects that are gone. */
	*update(): Generator<readonly [Owner, Fragment | undefined]> {
		// A set hands out what is added while it is walked: the owners that a fragment needs come in the same update.
		for (const owner of this.#dirty) {
			this.#dirty.delete(owner);
			const target = this.#targets.get(owner);
			if (!target) continue;
			this.#forget(owner, target);
			if (!this.#exists(owner, target)) {
				this.#targets.delete(owner);
				this.#need(target.needs, new Set());
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
			const needs = new Set(fragment.needs);
			this.#need(target.needs, needs);
			target.needs = needs;
			yield [owner, fragment];
		}
	}

	close(): void {
		this.#unsubscribe();
	}

	#mark(kind: string, key: string): void {
		const owner = `${kind}/${key}`;
		if (!this.#targets.has(owner)) this.#targets.set(owner, { kind, key, questions: new Set(), needs: new Set() });
		this.#dirty.add(owner);
	}

	#exists(owner: Owner, { kind, key }: Target): boolean {
		return derived[kind] ? this.#needed.has(owner) : this.#world.get(kind as Kind, key) !== undefined;
	}

	#need(before: ReadonlySet<Owner>, after: ReadonlySet<Owner>): void {
		for (const owner of after) {
			if (before.has(owner)) continue;
			const count = this.#needed.get(owner) ?? 0;
			this.#needed.set(owner, count + 1);
			if (count === 0) this.#mark(...splitOwner(owner));
		}
		for (const owner of before) {
			if (after.has(owner)) continue;
			const count = this.#needed.get(owner) ?? 0;
			if (count > 1) this.#needed.set(owner, count - 1);
			else {
				this.#needed.delete(owner);
				this.#dirty.add(owner);
			}
		}
	}

	#forget(owner: Owner, target: Target): void {
		for (const question of target.questions) {
			const askers = this.#askers.get(question);
			askers?.delete(owner);
			if (askers?.size === 0) this.#askers.delete(question);
		}
	}
}
