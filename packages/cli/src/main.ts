import { systemClock } from '@tapestry/host';
import { createProgram } from './commands/program.ts';
import type { CliContext } from './context.ts';
import { describeFailure } from './failure.ts';

const abort = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());

const context: CliContext = {
	// Debian keeps `ip` and the OVS daemons in sbin, which the PATH of a plain login may lack.
	env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
	clock: systemClock,
	signal: abort.signal,
	isTerminal: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
	write: (text) => process.stdout.write(text),
	writeError: (text) => process.stderr.write(text),
	exit: (status) => {
		process.exitCode = status;
	},
};

try {
	await createProgram(context).parseAsync(process.argv);
} catch (error) {
	context.writeError(describeFailure(error));
	process.exitCode = abort.signal.aborted ? 130 : 1;
	// What runs beside the step that failed has nothing left to work for.
	abort.abort();
}
