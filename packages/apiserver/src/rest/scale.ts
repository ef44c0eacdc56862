import { badRequest, invalid, notFound } from '../errors.ts';
import { type ApiObject, isRecord, type MutableJson, recordAt, stringAt, valueAt } from '../objects.ts';
import { invalidValue } from '../registry/names.ts';
import { formatSelector } from '../table/labels.ts';
import type { NamedTarget, RestContext, WriteOptions } from './context.ts';
import { subjectOf } from './create.ts';
import { updateObject } from './update.ts';

/** The `scale` subresource of a workload. Throws ApiError when there is no such object. */
export function readScale(context: RestContext, { endpoint, namespace, name }: NamedTarget): MutableJson {
	const object = context.store.get(endpoint.kind.resource, namespace, name);
	if (!object) throw notFound(subjectOf(endpoint), name);
	return scaleOf(object);
}

/** Sets the number of replicas to what `change` makes of the scale. Throws ApiError. */
export function writeScale(
	context: RestContext,
	target: NamedTarget,
	change: (scale: MutableJson) => unknown,
	options: WriteOptions,
): MutableJson {
	const written = updateObject(
		context,
		target,
		(served) => {
			const scale = change(scaleOf(served));
			if (!isRecord(scale) || scale.kind !== 'Scale') throw badRequest('the body of the request is not a Scale of autoscaling/v1');
			const replicas = valueAt(scale, 'spec.replicas') ?? 0;
			if (!Number.isInteger(replicas) || Number(replicas) < 0) {
				const why = 'must be greater than or equal to 0';
				throw invalid({ group: 'autoscaling', plural: 'scales', kind: 'Scale' }, target.name, [
					invalidValue('spec.replicas', replicas, why),
				]);
			}
			const resourceVersion = stringAt(scale, 'metadata.resourceVersion');
			const metadata = { ...served.metadata, ...(resourceVersion ? { resourceVersion } : {}) };
			return { ...served, metadata, spec: { ...recordAt(served, 'spec'), replicas } };
		},
		options,
	);
	return scaleOf(written);
}

function scaleOf(object: ApiObject): MutableJson {
	const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
	return {
		kind: 'Scale',
		apiVersion: 'autoscaling/v1',
		metadata: { name, ...(namespace ? { namespace } : {}), uid, resourceVersion, creationTimestamp },
		spec: { replicas: valueAt(object, 'spec.replicas') ?? 0 },
		status: { replicas: valueAt(object, 'status.replicas') ?? 0, selector: formatSelector(valueAt(object, 'spec.selector')) },
	};
}
