import { isCoded, type Signal } from '@tapestry/base';
import { type Condition, createReflector, type KubeDeps, type KubeObject, keyOf, type Reflector, setCondition } from '@tapestry/kube';
import { behaviourOf, type KindDefinition, kinds, notBuiltProblem } from '@tapestry/network';
import { builtCondition } from './built-condition.ts';

type Unbuilt = KubeObject<object, { readonly conditions?: readonly Condition[] }>;

/** Says on every object of an installed kind whose behaviour is not built that it has no effect. */
export class UnbuiltKinds {
	readonly #deps: KubeDeps;
	readonly #sources: ReadonlyMap<string, { readonly kind: KindDefinition; readonly objects: Reflector<Unbuilt> }>;

	/** `onChange` gets the keys that `write` takes. */
	constructor(deps: KubeDeps, onChange: (key: string) => void) {
		this.#deps = deps;
		// A kind without a status has nowhere to say it.
		const unbuilt = kinds.filter((kind) => kind.status !== undefined && !behaviourOf(kind.resource.kind).built);
		this.#sources = new Map(
			unbuilt.map((kind) => {
				const objects = createReflector<Unbuilt>(deps, { resource: kind.resource });
				objects.onChange(({ after }) => after && onChange(`${kind.resource.kind} ${keyOf(after)}`));
				return [kind.resource.kind, { kind, objects }];
			}),
		);
	}

	async write(key: string, signal: Signal): Promise<void> {
		const at = key.indexOf(' ');
		const source = this.#sources.get(key.slice(0, at));
		const object = source?.objects.objects.get(key.slice(at + 1));
		if (!source || !object) return;
		const { resource, statusSubresource } = source.kind;
		const { name, namespace, uid, generation } = object.metadata;
		const condition = builtCondition(notBuiltProblem(resource.kind, object.spec ?? {}), generation);
		const conditions = setCondition(object.status?.conditions, condition, this.#deps.clock.now());
		if (conditions === object.status?.conditions) return;
		const target = namespace === undefined ? { name } : { name, namespace };
		const options = statusSubresource ? { subresource: 'status', signal } : { signal };
		const patch = { metadata: { uid }, status: { conditions } };
		try {
			await this.#deps.client.patch(resource, target, 'application/merge-patch+json', patch, options);
		} catch (error) {
			if (!isCoded(error, 'KUBE_NOT_FOUND')) throw error;
		}
	}

	close(): void {
		for (const { objects } of this.#sources.values()) objects.close().catch(() => {});
	}
}
