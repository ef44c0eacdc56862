import { describe, expect, it } from 'vitest';
import { ageOf, humanDuration } from './duration.ts';

const seconds = 1000;
const minutes = 60 * seconds;
const hours = 60 * minutes;
const days = 24 * hours;

describe('humanDuration', () => {
	// From k8s.io/apimachinery/pkg/util/duration, TestHumanDuration.
	it.each<[number, string]>([
		[1 * seconds, '1s'],
		[70 * seconds, '70s'],
		[190 * seconds, '3m10s'],
		[70 * minutes, '70m'],
		[47 * hours, '47h'],
		[49 * hours, '2d1h'],
		[(8 * 24 + 2) * hours, '8d'],
		[367 * days, '367d'],
		[(365 * 2 + 25) * days, '2y25d'],
		[(365 * 8 + 2) * days, '8y'],
		[4 * minutes, '4m'],
		[3 * hours, '3h'],
		[5 * hours + 30 * minutes, '5h30m'],
		[-1 * seconds, '0s'],
		[-2 * seconds, '<invalid>'],
	])('%i ms is %s', (ms, text) => {
		expect(humanDuration(ms)).toBe(text);
	});
});

describe('ageOf', () => {
	it('tells what is missing from what is wrong', () => {
		expect(ageOf(undefined, 0)).toBe('<unknown>');
		expect(ageOf('yesterday', 0)).toBe('<invalid>');
		expect(ageOf('1970-01-01T00:00:00Z', 5000)).toBe('5s');
	});
});
