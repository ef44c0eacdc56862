import type { Clock } from '@tapestry/base';

export interface Steps {
	/** Runs one step and tells its title, time and log. */
	step<T>(title: string, log: string, work: () => Promise<T>): Promise<T>;
}

/** One line per step, written when the step ends: `[2/6] build   0.4 s  /var/lib/...`. */
export function createSteps(
	deps: { readonly clock: Clock; readonly write: (text: string) => void },
	options: { readonly total: number },
): Steps {
	let count = 0;
	return {
		async step(title, log, work) {
			const label = `[${++count}/${options.total}] ${title.padEnd(44)}`;
			const start = deps.clock.monotonic();
			const line = (mark: string) => deps.write(`${label} ${seconds(deps.clock.monotonic() - start)}  ${mark}${log}\n`);
			try {
				const result = await work();
				line('');
				return result;
			} catch (error) {
				line('FAILED, see ');
				throw error;
			}
		},
	};
}

function seconds(ms: number): string {
	return `${(ms / 1000).toFixed(1).padStart(6)} s`;
}
