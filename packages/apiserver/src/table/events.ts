import { type Column, column, nameColumn, wide } from './column.ts';
import { ageOf } from './duration.ts';
import { numberAt, orNone, textAt } from './read.ts';

/** For v1 and for events.k8s.io/v1, which names some of the fields otherwise. */
export const eventColumns: readonly Column[] = [
	column('Last Seen', (event, now) => ageOf(lastSeen(event), now)),
	column('Type', (event) => textAt(event, 'type')),
	column('Reason', (event) => textAt(event, 'reason')),
	column('Object', (event) => {
		const kind = either(event, 'involvedObject.kind', 'regarding.kind').toLowerCase();
		const name = either(event, 'involvedObject.name', 'regarding.name');
		return name === '' ? kind : `${kind}/${name}`;
	}),
	wide('Subobject', (event) => either(event, 'involvedObject.fieldPath', 'regarding.fieldPath')),
	wide('Source', source),
	column('Message', (event) => either(event, 'message', 'note').trim()),
	wide('First Seen', (event, now) => ageOf(firstSeen(event), now)),
	column('Count', count, { type: 'integer', priority: 1 }),
	{ ...nameColumn, definition: { ...nameColumn.definition, priority: 1 } },
];

/** The first of the fields that says anything. */
function either(event: unknown, ...paths: readonly string[]): string {
	return paths.map((path) => textAt(event, path)).find((text) => text !== '') ?? '';
}

const lastSeen = (event: unknown): string =>
	either(event, 'series.lastObservedTime', 'lastTimestamp', 'deprecatedLastTimestamp') || firstSeen(event);

const firstSeen = (event: unknown): string => either(event, 'firstTimestamp', 'deprecatedFirstTimestamp', 'eventTime');

function count(event: unknown): number {
	return numberAt(event, 'series.count') || numberAt(event, 'count') || numberAt(event, 'deprecatedCount') || 1;
}

function source(event: unknown): string {
	const component = either(event, 'source.component', 'deprecatedSource.component', 'reportingComponent', 'reportingController');
	const host = either(event, 'source.host', 'deprecatedSource.host');
	return orNone([component, host].filter((part) => part !== '').join(', '));
}
