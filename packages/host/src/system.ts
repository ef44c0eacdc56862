import { type Clock, createLogger, type Logger, type LogLevel } from '@tapestry/base';

/** The machine's clock. */
export const systemClock: Clock = {
	now: () => Date.now(),
	monotonic: () => performance.now(),
	after(ms, callback) {
		const timer = setTimeout(callback, ms);
		return () => clearTimeout(timer);
	},
};

/** Logs JSON lines to standard error. */
export function processLogger(program: string, level: LogLevel = 'info'): Logger {
	return createLogger({ now: () => Date.now(), write: (line) => process.stderr.write(`${line}\n`) }, { level, fields: { program } });
}
