import type { Kind, Objects } from './objects.ts';

/** How objects of a kind are found other than by key. Each index gives the values under which an object is listed. */
const indexes = {
	Vpc: {},
	Subnet: { vpc: (subnet: Objects['Subnet']) => subnet.vpc },
	IP: {
		address: ({ v4, v6 }: Objects['IP']) => [v4, v6].filter((address) => address !== undefined),
		vip: (lease: Objects['IP']) => lease.vips,
		portName: (lease: Objects['IP']) => lease.ports.map(({ protocol, name }) => `${protocol}/${name}`),
	},
	IPPool: {},
	Vip: { name: (vip: Objects['Vip']) => vip.name, subnet: (vip: Objects['Vip']) => vip.subnet },
	Node: { all: () => '' },
	Service: {},
	EndpointSlice: { service: (slice: Objects['EndpointSlice']) => slice.service },
	SwitchLBRule: { subnet: (rule: Objects['SwitchLBRule']) => rule.subnets },
	Namespace: {},
	NetworkPolicy: {},
	AdminNetworkPolicy: {},
	BaselineAdminNetworkPolicy: {},
	SecurityGroup: {},
	/** The namespace, or `*`. */
	Selector: { scope: ({ namespaces }: Objects['Selector']) => (typeof namespaces === 'string' ? namespaces : '*') },
	PortName: {},
} as const satisfies { readonly [K in Kind]: Readonly<Record<string, (object: Objects[K]) => string | readonly string[]>> };

export type IndexName<K extends Kind> = Extract<keyof (typeof indexes)[K], string>;

/** What a compile function may know. Each question is recorded, so that the answer's change recompiles the asker. */
export interface Read {
	get<K extends Kind>(kind: K, key: string): Objects[K] | undefined;
	/** The objects that `index` lists under `value`, ordered by key. */
	list<K extends Kind>(kind: K, index: IndexName<K>, value: string): readonly Objects[K][];
}

/** Names a question: two readers that ask the same are told of the same changes. */
export type Question = string;

type Pick = (object: Objects[Kind]) => string | readonly string[];
type Stored = Map<string, Objects[Kind]>;

/** The facts by kind and key. Listeners hear which questions have a new answer, and only then: setting equal facts changes nothing. */
export class World {
	readonly #objects = new Map<Kind, Stored>();
	readonly #listed = new Map<Question, Map<string, Objects[Kind]>>();
	/** Answers to `list`, until they change: many ports ask the same. */
	readonly #answers = new Map<Question, readonly Objects[Kind][]>();
	readonly #listeners = new Set<(kind: Kind, key: string, questions: readonly Question[]) => void>();

	/** Sets an object, or removes it when `object` is undefined. */
	set<K extends Kind>(kind: K, key: string, object: Objects[K] | undefined): void {
		const objects = this.#objects.get(kind) ?? new Map<string, Objects[Kind]>();
		this.#objects.set(kind, objects);
		const before = objects.get(key);
		if (sameFacts(before, object)) return;
		if (object) objects.set(key, object);
		else objects.delete(key);
		const questions = new Set([getQuestion(kind, key)]);
		for (const [index, pick] of Object.entries(indexes[kind]) as [string, Pick][]) {
			for (const value of before ? [pick(before)].flat() : []) questions.add(this.#relist(kind, index, value, key, undefined));
			for (const value of object ? [pick(object)].flat() : []) questions.add(this.#relist(kind, index, value, key, object));
		}
		for (const listener of this.#listeners) listener(kind, key, [...questions]);
	}

	get<K extends Kind>(kind: K, key: string): Objects[K] | undefined {
		return this.#objects.get(kind)?.get(key) as Objects[K] | undefined;
	}

	keys(kind: Kind): Iterable<string> {
		return this.#objects.get(kind)?.keys() ?? [];
	}

	/** A view that tells `record` every question before it is answered. */
	reader(record: (question: Question) => void): Read {
		return {
			get: (kind, key) => {
				record(getQuestion(kind, key));
				return this.get(kind, key);
			},
			list: <K extends Kind>(kind: K, index: IndexName<K>, value: string) => {
				const question = listQuestion(kind, index, value);
				record(question);
				let answer = this.#answers.get(question);
				if (!answer) {
					const found = [...(this.#listed.get(question) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
					answer = found.map(([, object]) => object);
					if (answer.length > 0) this.#answers.set(question, answer);
				}
				return answer as readonly Objects[K][];
			},
		};
	}

	onChange(listener: (kind: Kind, key: string, questions: readonly Question[]) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#relist(kind: Kind, index: string, value: string, key: string, object: Objects[Kind] | undefined): Question {
		const question = listQuestion(kind, index, value);
		const entries = this.#listed.get(question) ?? new Map<string, Objects[Kind]>();
		this.#answers.delete(question);
		if (object) this.#listed.set(question, entries.set(key, object));
		else if (entries.delete(key) && entries.size === 0) this.#listed.delete(question);
		return question;
	}
}

function getQuestion(kind: Kind, key: string): Question {
	return `${kind}/${key}`;
}

function listQuestion(kind: Kind, index: string, value: string): Question {
	return `${kind}?${index}=${value}`;
}

/** Structural equality of plain data. */
export function sameFacts(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
	if (Array.isArray(a) !== Array.isArray(b)) return false;
	const keys = Object.keys(a);
	if (keys.length !== Object.keys(b).length) return false;
	return keys.every((key) => sameFacts((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}
