const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** A span as kubectl prints ages (k8s.io/apimachinery/pkg/util/duration, HumanDuration). A clock may be up to 2 s behind. */
export function humanDuration(ms: number): string {
	const seconds = Math.trunc(ms / second);
	if (seconds < -1) return '<invalid>';
	if (seconds < 0) return '0s';
	if (seconds < 2 * 60) return `${seconds}s`;
	const minutes = Math.trunc(ms / minute);
	if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
	if (minutes < 3 * 60) return `${minutes}m`;
	const hours = Math.trunc(ms / hour);
	if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
	if (hours < 48) return `${hours}h`;
	const days = Math.trunc(hours / 24);
	if (days < 8) return pair(days, 'd', hours % 24, 'h');
	if (days < 2 * 365) return `${days}d`;
	const years = Math.trunc(days / 365);
	return years < 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`;
}

const pair = (large: number, unit: string, small: number, smallUnit: string): string =>
	small === 0 ? `${large}${unit}` : `${large}${unit}${small}${smallUnit}`;

/** The age of an RFC 3339 time at `now` (milliseconds since the epoch). */
export function ageOf(timestamp: unknown, now: number): string {
	if (typeof timestamp !== 'string' || timestamp === '') return '<unknown>';
	const time = Date.parse(timestamp);
	return Number.isNaN(time) ? '<invalid>' : humanDuration(now - time);
}
