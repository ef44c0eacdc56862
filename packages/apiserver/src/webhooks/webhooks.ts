import { isDeepStrictEqual } from 'node:util';
import { type Clock, type Logger, messageOf } from '@tapestry/base';
import { ApiError, deniedBy } from '../errors.ts';
import type { ApiObject } from '../objects.ts';
import { applyJsonPatch } from '../patch/index.ts';
import type { Store } from '../storage/store.ts';
import type { Attributes } from './attributes.ts';
import { type Connections, callHook, createConnections } from './call.ts';
import { destinationOf } from './destination.ts';
import { type HookType, hooksOf } from './hook.ts';
import { type Match, match, matchRules } from './match.ts';
import { convert, readVerdict, reviewOf, type Verdict } from './review.ts';

export interface WebhookDeps {
	readonly store: Store;
	readonly clock: Clock;
	readonly log: Logger;
	readonly uuid: () => string;
}

type HookCaller = WebhookDeps & { readonly connections: Connections };

export type Subject = Pick<Attributes, 'endpoint' | 'operation' | 'subresource'>;

/** The admission webhooks that are registered at the moment of each request. */
export interface Webhooks {
	/** False when no webhook can be about such a request: nothing needs to be awaited then. */
	concern(subject: Subject): boolean;
	/** The object as the mutating webhooks leave it. Throws ApiError when one refuses. */
	mutate(attributes: Attributes): Promise<ApiObject | undefined>;
	/** Throws the ApiError of the first validating webhook that refuses. */
	validate(attributes: Attributes): Promise<void>;
}

export function createWebhooks(parts: WebhookDeps): Webhooks {
	const deps = { ...parts, connections: createConnections() };
	const { store } = deps;
	const concerns = (type: HookType, subject: Subject): boolean =>
		hooksOf(store, type).some((hook) => matchRules(hook, subject) !== undefined);
	return {
		concern: (subject) => concerns('mutating', subject) || concerns('validating', subject),
		mutate: (attributes) => mutate(deps, attributes),
		async validate(attributes) {
			const matches = hooksOf(store, 'validating').flatMap((hook) => match(store, hook, attributes) ?? []);
			const results = await Promise.allSettled(matches.map((found) => ask(deps, 'validating', found, attributes)));
			for (const result of results) if (result.status === 'rejected') throw result.reason;
		},
	};
}

/**
 * One after the other, each shown what the ones before it made. Those with reinvocationPolicy IfNeeded are asked once more, in the same
 * order, when a later one has changed the object since.
 */
async function mutate(deps: HookCaller, attributes: Attributes): Promise<ApiObject | undefined> {
	const { store } = deps;
	let { object } = attributes;
	const seen = new Map<string, ApiObject | undefined>();
	const run = async (key: string, hook: Match['hook']): Promise<void> => {
		const current = { ...attributes, object };
		const found = match(store, hook, current);
		if (!found) return;
		object = patched(found, current, (await ask(deps, 'mutating', found, current))?.patch);
		seen.set(key, object);
	};
	const hooks = hooksOf(store, 'mutating').map((hook, index) => ({ hook, key: `${index}` }));
	for (const { hook, key } of hooks) await run(key, hook);
	for (const { hook, key } of hooks) {
		if (hook.reinvocationPolicy === 'IfNeeded' && seen.has(key) && !isDeepStrictEqual(seen.get(key), object)) await run(key, hook);
	}
	return object;
}

function patched({ hook, endpoint }: Match, { object, endpoint: own }: Attributes, patch: unknown): ApiObject | undefined {
	if (patch === undefined) return object;
	if (!object) {
		const why = 'attempted to modify the object, which is not supported for this operation';
		throw internal(`admission webhook "${hook.name}" ${why}`);
	}
	try {
		return convert(applyJsonPatch(convert(object, own, endpoint), patch) as ApiObject, endpoint, own);
	} catch (error) {
		throw internal(messageOf(error));
	}
}

/** The verdict that allows; undefined when the webhook cannot be asked and does not insist. Throws ApiError otherwise. */
async function ask(deps: HookCaller, type: HookType, { hook, endpoint }: Match, attributes: Attributes): Promise<Verdict | undefined> {
	const uid = deps.uuid();
	let verdict: Verdict;
	try {
		const answer = await callHook(deps, hook, destinationOf(deps.store, hook.clientConfig), reviewOf(attributes, endpoint, uid));
		verdict = readVerdict(answer, uid, type);
	} catch (error) {
		const why = `failed calling webhook "${hook.name}": ${messageOf(error)}`;
		if (hook.failurePolicy === 'Fail') throw internal(why);
		deps.log.warn('failing open: a webhook could not be asked', { webhook: hook.name, error });
		return undefined;
	}
	for (const warning of verdict.warnings) attributes.warn?.(warning);
	if (!verdict.allowed) throw deniedBy(hook.name, verdict.status);
	return verdict;
}

function internal(why: string): ApiError {
	return new ApiError('InternalError', `Internal error occurred: ${why}`);
}
