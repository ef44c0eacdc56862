import { type ApiObject, childOf, isRecord, type MutableJson, stringAt } from '../objects.ts';
import type { Served, Strategy } from './kind.ts';
import { invalidValue } from './names.ts';

export const eventStrategy: Strategy = {
	fields: [
		'involvedObject.kind',
		'involvedObject.namespace',
		'involvedObject.name',
		'involvedObject.uid',
		'involvedObject.apiVersion',
		'involvedObject.resourceVersion',
		'involvedObject.fieldPath',
		'reason',
		'reportingComponent',
		'source.component',
		'type',
	],
	create(draft) {
		childOf(draft, 'involvedObject');
		childOf(draft, 'source');
	},
	validate(object) {
		const about = stringAt(object, 'involvedObject.namespace');
		// Events about cluster-scoped objects lie in `default`.
		const expected = about || 'default';
		if (object.metadata.namespace === expected || (!about && object.metadata.namespace === 'kube-system')) return [];
		return [invalidValue('involvedObject.namespace', about ?? '', 'does not match event.namespace')];
	},
};

/** The names of v1 Event's fields in events.k8s.io/v1 (k8s.io/kubernetes/pkg/apis/events/v1/conversion.go). */
const renamed: readonly (readonly [core: string, events: string])[] = [
	['involvedObject', 'regarding'],
	['message', 'note'],
	['source', 'deprecatedSource'],
	['firstTimestamp', 'deprecatedFirstTimestamp'],
	['lastTimestamp', 'deprecatedLastTimestamp'],
	['count', 'deprecatedCount'],
	['reportingComponent', 'reportingController'],
];

export const eventConversion: NonNullable<Served['convert']> = {
	toServed: (stored) => rename(stored, new Map(renamed)),
	toStored: (served) => rename(served, new Map(renamed.map(([core, events]) => [events, core]))),
};

function rename(event: ApiObject, names: ReadonlyMap<string, string>): ApiObject {
	const out: MutableJson = {};
	for (const [key, value] of Object.entries(event)) out[names.get(key) ?? key] = value;
	const { series } = event;
	// The two versions name the time of a series differently from v1beta1 on: both call it lastObservedTime.
	if (isRecord(series)) out.series = series;
	return out as unknown as ApiObject;
}
