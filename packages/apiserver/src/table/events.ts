import { type Column, column, nameColumn, wide } from './column.ts';
import { ageOf } from './duration.ts';
import { numberAt, orNone, textAt } from './read.ts';

export const eventColumns: readonly Column[] = [
	column('Last Seen', (event, now) => {
		const seen = textAt(event, 'series.lastObservedTime') || textAt(event, 'lastTimestamp') || firstSeen(event);
		return ageOf(seen, now);
	}),
	column('Type', (event) => textAt(event, 'type')),
	column('Reason', (event) => textAt(event, 'reason')),
	column('Object', (event) => {
		const kind = textAt(event, 'involvedObject.kind').toLowerCase();
		const name = textAt(event, 'involvedObject.name');
		return name === '' ? kind : `${kind}/${name}`;
	}),
	wide('Subobject', (event) => textAt(event, 'involvedObject.fieldPath')),
	wide('Source', source),
	column('Message', (event) => textAt(event, 'message').trim()),
	wide('First Seen', (event, now) => ageOf(firstSeen(event), now)),
	column('Count', (event) => numberAt(event, 'series.count') || numberAt(event, 'count') || 1, { type: 'integer', priority: 1 }),
	{ ...nameColumn, definition: { ...nameColumn.definition, priority: 1 } },
];

const firstSeen = (event: unknown): string => textAt(event, 'firstTimestamp') || textAt(event, 'eventTime');

function source(event: unknown): string {
	const component = textAt(event, 'source.component') || textAt(event, 'reportingComponent');
	const host = textAt(event, 'source.host');
	return orNone([component, host].filter((part) => part !== '').join(', '));
}
