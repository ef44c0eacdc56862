import type { ApiObject } from '../objects.ts';
import type { FieldError } from '../schema/index.ts';
import type { Kind } from './kind.ts';
import { invalidValue, labelValueProblems, nameProblems, qualifiedNameProblems, required } from './names.ts';

const annotationBytes = 256 * 1024;

/** The rules of ObjectMeta (k8s.io/apimachinery/pkg/api/validation). */
export function validateMetadata(object: ApiObject, kind: Kind): readonly FieldError[] {
	const { metadata } = object;
	return [
		...nameProblems(kind.strategy.names, metadata.name).map((why) => invalidValue('metadata.name', metadata.name, why)),
		...validateLabels(metadata.labels ?? {}, 'metadata.labels'),
		...validateAnnotations(metadata.annotations ?? {}),
		...(metadata.finalizers ?? []).flatMap((name) =>
			qualifiedNameProblems(name).map((why) => invalidValue('metadata.finalizers', name, why)),
		),
		...validateOwners(object),
	];
}

function validateLabels(labels: Readonly<Record<string, string>>, field: string): FieldError[] {
	return Object.entries(labels).flatMap(([key, value]) => [
		...qualifiedNameProblems(key).map((why) => invalidValue(field, key, why)),
		...labelValueProblems(value).map((why) => invalidValue(field, value, why)),
	]);
}

function validateAnnotations(annotations: Readonly<Record<string, string>>): FieldError[] {
	const field = 'metadata.annotations';
	const errors = Object.keys(annotations).flatMap((key) =>
		qualifiedNameProblems(key.toLowerCase()).map((why) => invalidValue(field, key, why)),
	);
	const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
	if (size > annotationBytes) {
		errors.push({ field, type: 'FieldValueTooLong', message: `Too long: may not be more than ${annotationBytes} bytes` });
	}
	return errors;
}

function validateOwners(object: ApiObject): FieldError[] {
	const owners = object.metadata.ownerReferences ?? [];
	const errors = owners.flatMap((owner, index) =>
		(['apiVersion', 'kind', 'name', 'uid'] as const)
			.filter((key) => !owner[key])
			.map((key) => required(`metadata.ownerReferences[${index}].${key}`, `${key} must not be empty`)),
	);
	const controllers = owners.filter((owner) => owner.controller === true);
	if (controllers.length > 1) {
		errors.push(
			invalidValue(
				'metadata.ownerReferences',
				controllers.map((owner) => owner.name),
				'Only one reference can have Controller set to true',
			),
		);
	}
	return errors;
}
