import type { Signal } from '@tapestry/base';
import type { CustomResourceDefinition } from './builtin.ts';
import { findCondition } from './conditions.ts';
import { createReflector } from './reflector.ts';
import { customResourceDefinitions } from './resources.ts';
import type { KubeDeps } from './types.ts';

/** Resolves when all CustomResourceDefinitions named (`<plural>.<group>`) are Established; rejects with the signal's reason. */
export async function crdsEstablished(deps: KubeDeps, names: readonly string[], signal: Signal): Promise<void> {
	await using crds = createReflector<CustomResourceDefinition>(deps, { resource: customResourceDefinitions });
	const established = (name: string): boolean =>
		findCondition(crds.objects.get(name)?.status?.conditions, 'Established')?.status === 'True';
	const done = Promise.withResolvers<void>();
	const check = (): void => {
		if (names.every(established)) done.resolve();
	};
	const onAbort = (): void => done.reject(signal.reason);
	crds.onChange(check);
	signal.addEventListener('abort', onAbort, { once: true });
	try {
		await crds.synced(signal);
		check();
		await done.promise;
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
}
