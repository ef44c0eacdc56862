import { timestamp } from '@tapestry/kube';
import {
	type ApiObject,
	childOf,
	type Draft,
	fillDefaults,
	isRecord,
	type MutableJson,
	recordAt,
	recordsAt,
	stringAt,
	stringsAt,
	valueAt,
} from '../objects.ts';
import { checkStructural, compileSchema, type FieldError } from '../schema/index.ts';
import type { PrinterColumn } from '../table/index.ts';
import type { Admission, Kind, Served, Strategy } from './kind.ts';
import { invalidValue, labelProblems, required, subdomainProblems } from './names.ts';

export const crdResource = 'customresourcedefinitions.apiextensions.k8s.io';
/** Holds a deleted definition until its objects are gone. */
export const crdFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

export const customResourceDefinitionStrategy: Strategy = {
	generation: true,
	create(draft, admission) {
		applyDefaults(draft);
		draft.status = statusOf(draft, undefined, admission);
	},
	update(draft, before, admission) {
		applyDefaults(draft);
		draft.status = statusOf(draft, before, admission);
	},
	validate: (object, before) => [...validateDefinition(object), ...(before ? validateChange(object, before) : [])],
};

/** True when the definition's kind is served. */
export function isEstablished(definition: ApiObject): boolean {
	return recordsAt(definition, 'status.conditions').some(({ type, status }) => type === 'Established' && status === 'True');
}

/** The kind that a valid definition defines. */
export function kindOfDefinition(definition: ApiObject): Kind {
	const group = stringAt(definition, 'spec.group') ?? '';
	const names = recordAt(definition, 'spec.names') ?? {};
	const plural = String(names.plural);
	const versions = recordsAt(definition, 'spec.versions');
	const storage = versions.find((version) => version.storage === true);
	return {
		group,
		plural,
		singular: String(names.singular),
		kind: String(names.kind),
		listKind: String(names.listKind),
		shortNames: stringsAt(names, 'shortNames'),
		categories: stringsAt(names, 'categories'),
		namespaced: valueAt(definition, 'spec.scope') === 'Namespaced',
		resource: `${plural}.${group}`,
		strategy: { generation: true, fields: versions.flatMap(selectableFields) },
		custom: true,
		storedAs: `${group}/${storage?.name}`,
		served: versions.filter((version) => version.served === true).map((version) => servedVersion(group, version)),
	};
}

function servedVersion(group: string, version: MutableJson): Served {
	const source = recordAt(version, 'schema.openAPIV3Schema') ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
	const columns = recordsAt(version, 'additionalPrinterColumns') as unknown as readonly PrinterColumn[];
	return {
		group,
		version: String(version.name),
		status: recordAt(version, 'subresources.status') !== undefined,
		subresources: [],
		schema: { source, compiled: compileSchema(source) },
		...(columns.length > 0 ? { columns } : {}),
	};
}

/** `selectableFields[].jsonPath` are simple paths: `.spec.color`. */
function selectableFields(version: MutableJson): string[] {
	return recordsAt(version, 'selectableFields').map((field) => String(field.jsonPath).replace(/^\./, ''));
}

function applyDefaults(draft: Draft): void {
	const spec = childOf(draft, 'spec');
	fillDefaults(spec, { conversion: { strategy: 'None' } });
	const names = childOf(spec, 'names');
	const kind = String(names.kind);
	fillDefaults(names, { singular: kind.toLowerCase(), listKind: `${kind}List` });
}

function statusOf(draft: Draft, before: ApiObject | undefined, admission: Admission): MutableJson {
	const taken = nameConflict(draft, admission.kinds());
	const storage = recordsAt(draft, 'spec.versions').find((version) => version.storage === true)?.name;
	const stored = stringsAt(before, 'status.storedVersions');
	const old = recordsAt(before, 'status.conditions');
	const condition = (type: string, good: boolean, reason: string, message: string): MutableJson => {
		const status = good ? 'True' : 'False';
		const same = old.find((one) => one.type === type && one.status === status);
		return { type, status, lastTransitionTime: same?.lastTransitionTime ?? timestamp(admission.now), reason, message };
	};
	const conditions = taken
		? [
				condition('NamesAccepted', false, 'NameConflict', taken),
				condition('Established', false, 'NotAccepted', 'not all names are accepted'),
			]
		: [
				condition('NamesAccepted', true, 'NoConflicts', 'no conflicts found'),
				condition('Established', true, 'InitialNamesAccepted', 'the initial names have been accepted'),
			];
	return {
		conditions,
		acceptedNames: taken ? { plural: '', kind: '' } : recordAt(draft, 'spec.names'),
		storedVersions: storage === undefined || stored.includes(String(storage)) ? stored : [...stored, storage],
	};
}

/** Plural, singular, short names and kinds are unique within a group. */
function nameConflict(draft: Draft, kinds: readonly Kind[]): string | undefined {
	const names = recordAt(draft, 'spec.names') ?? {};
	const others = kinds.filter((kind) => kind.group === valueAt(draft, 'spec.group') && kind.resource !== draft.metadata.name);
	const mine = [names.plural, names.singular, ...stringsAt(names, 'shortNames')];
	for (const other of others) {
		const clash = [other.plural, other.singular, ...other.shortNames].find((name) => mine.includes(name));
		if (clash !== undefined) return `"${clash}" is already in use`;
		if (other.kind === names.kind || other.listKind === names.listKind) return `"${other.kind}" is already in use`;
	}
	return undefined;
}

function validateDefinition(object: ApiObject): FieldError[] {
	const group = stringAt(object, 'spec.group') ?? '';
	const plural = stringAt(object, 'spec.names.plural') ?? '';
	const errors: FieldError[] = [];
	if (object.metadata.name !== `${plural}.${group}`)
		errors.push(invalidValue('metadata.name', object.metadata.name, 'must be spec.names.plural+"."+spec.group'));
	errors.push(...subdomainProblems(group).map((why) => invalidValue('spec.group', group, why)));
	if (!group.includes('.')) errors.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'));
	errors.push(...labelProblems(plural).map((why) => invalidValue('spec.names.plural', plural, why)));
	return [...errors, ...validateVersions(recordsAt(object, 'spec.versions'))];
}

function validateVersions(versions: readonly MutableJson[]): FieldError[] {
	const errors: FieldError[] = [];
	if (versions.filter((version) => version.storage === true).length !== 1) {
		errors.push(
			invalidValue(
				'spec.versions',
				versions.map((version) => version.name),
				'must have exactly one version marked as storage version',
			),
		);
	}
	const names = new Set<unknown>();
	for (const [index, version] of versions.entries()) {
		const at = `spec.versions[${index}]`;
		const name = String(version.name ?? '');
		errors.push(...labelProblems(name).map((why) => invalidValue(`${at}.name`, name, why)));
		if (names.has(name)) errors.push(invalidValue(`${at}.name`, name, 'must be unique'));
		names.add(name);
		const schema = valueAt(version, 'schema.openAPIV3Schema');
		if (!isRecord(schema)) errors.push(required(`${at}.schema.openAPIV3Schema`, 'schemas are required'));
		else errors.push(...checkStructural(schema).map((error) => ({ ...error, field: joined(`${at}.schema.openAPIV3Schema`, error.field) })));
	}
	return errors;
}

function joined(path: string, field: string): string {
	return field ? `${path}.${field}` : path;
}

function validateChange(object: ApiObject, before: ApiObject): FieldError[] {
	const fixed = ['spec.scope', 'spec.names.kind'].filter((path) => valueAt(object, path) !== valueAt(before, path));
	const versions = new Set(recordsAt(object, 'spec.versions').map((version) => version.name));
	const lost = stringsAt(object, 'status.storedVersions').filter((version) => !versions.has(version));
	return [
		...fixed.map((path) => invalidValue(path, valueAt(object, path), 'field is immutable')),
		...lost.map((version) => invalidValue('status.storedVersions', version, 'must appear in spec.versions')),
	];
}
