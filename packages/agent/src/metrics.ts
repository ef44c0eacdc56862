import { type Clock, createMetrics } from '@tapestry/base';

/** Upper bounds in seconds; around the budgets of an attachment (p50 50 ms, p99 150 ms). */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 20];

/** Tells how long a step took. */
export type Observe = (step: string, seconds: number) => void;

export interface AgentMetrics {
	readonly observe: Observe;
	/** In the text format that base's metrics have. @param attachments how many there are now */
	render(attachments: number): string;
}

export function createAgentMetrics(): AgentMetrics {
	const metrics = createMetrics();
	const help = 'Duration of the steps of CNI calls and of lifts.';
	const steps = metrics.histogram('tapestry_attach_step_seconds', help, { labels: ['step'], buckets });
	const attached = metrics.gauge('tapestry_attachments', 'Interfaces that are attached on this node.');
	return {
		observe: (step, seconds) => steps.observe(seconds, { step }),
		render(attachments) {
			attached.set(attachments);
			return metrics.render();
		},
	};
}

/** Measures consecutive steps: each call of the returned function ends one. */
export function stopwatch(clock: Clock, observe: Observe): (step: string) => void {
	let started = clock.monotonic();
	return (step) => {
		const now = clock.monotonic();
		observe(step, (now - started) / 1000);
		started = now;
	};
}
