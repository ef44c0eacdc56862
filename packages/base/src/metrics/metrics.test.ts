import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

it('writes the text format of Prometheus', () => {
	const metrics = createMetrics();
	const adds = metrics.counter('cni_add_total', 'ADD requests.', ['result', 'mode']);
	const ports = metrics.gauge('ports', 'Ports now.');
	const duration = metrics.histogram('cni_add_seconds', 'Duration of ADD.', { labels: ['mode'], buckets: [0.01, 0.1] });
	adds.increment({ mode: 'veth', result: 'ok' });
	adds.add(2, { result: 'ok', mode: 'veth' });
	adds.increment({ result: 'failed', mode: 'tap' });
	ports.set(3);
	for (const seconds of [0.005, 0.01, 0.05, 7]) duration.observe(seconds, { mode: 'veth' });
	expect(metrics.render()).toBe(
		[
			'# HELP cni_add_total ADD requests.',
			'# TYPE cni_add_total counter',
			'cni_add_total{result="ok",mode="veth"} 3',
			'cni_add_total{result="failed",mode="tap"} 1',
			'# HELP ports Ports now.',
			'# TYPE ports gauge',
			'ports 3',
			'# HELP cni_add_seconds Duration of ADD.',
			'# TYPE cni_add_seconds histogram',
			'cni_add_seconds_bucket{mode="veth",le="0.01"} 2',
			'cni_add_seconds_bucket{mode="veth",le="0.1"} 3',
			'cni_add_seconds_bucket{mode="veth",le="+Inf"} 4',
			'cni_add_seconds_sum{mode="veth"} 7.065',
			'cni_add_seconds_count{mode="veth"} 4',
			'',
		].join('\n'),
	);
});

it('escapes what users and help texts hold', () => {
	const metrics = createMetrics();
	metrics.gauge('subnet_free', 'Of a\\b\nc.', ['subnet']).set(1, { subnet: 'a"b\\c\nd' });
	expect(metrics.render()).toBe('# HELP subnet_free Of a\\\\b\\nc.\n# TYPE subnet_free gauge\nsubnet_free{subnet="a\\"b\\\\c\\nd"} 1\n');
});

it('shows a counter without labels before its first event', () => {
	const metrics = createMetrics();
	metrics.counter('commits_total', 'Commits.');
	expect(metrics.render()).toContain('commits_total 0\n');
});

it('forgets a series', () => {
	const metrics = createMetrics();
	const gauge = metrics.gauge('subnet_free', 'Free addresses.', ['subnet']);
	gauge.set(1, { subnet: 'a' });
	gauge.set(Number.POSITIVE_INFINITY, { subnet: 'b' });
	gauge.remove({ subnet: 'a' });
	expect(metrics.render().split('\n').slice(2)).toEqual(['subnet_free{subnet="b"} +Inf', '']);
});

describe('mistakes of the program are errors', () => {
	const metrics = createMetrics();
	metrics.gauge('taken', 'Taken.');

	it.each([
		['a counter without _total', () => metrics.counter('events', 'Events.')],
		['a gauge with _total', () => metrics.gauge('events_total', 'Events.')],
		['a histogram without unit', () => metrics.histogram('latency', 'Latency.')],
		['a name with a dash', () => metrics.gauge('a-b', 'A.')],
		['a name twice', () => metrics.gauge('taken', 'Taken.')],
		['a counter that shrinks', () => metrics.counter('events_total', 'Events.').add(-1)],
	])('%s', (_, action) => {
		expect(action).toThrow(Error);
	});
});
