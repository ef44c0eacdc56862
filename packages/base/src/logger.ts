export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log: a constant message and fields. `child` adds fields to every line. */
export interface Logger {
	debug(message: string, fields?: LogFields): void;
	info(message: string, fields?: LogFields): void;
	warn(message: string, fields?: LogFields): void;
	error(message: string, fields?: LogFields): void;
	child(fields: LogFields): Logger;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
const ranks: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

export interface LoggerDeps {
	/** Milliseconds since the epoch. */
	readonly now: () => number;
	/** Receives one JSON line without its newline. */
	readonly write: (line: string) => void;
}

/** One JSON object a line, with pino's field names (`level`, `time`, `msg`). */
export function createLogger(deps: LoggerDeps, options: { readonly level?: LogLevel; readonly fields?: LogFields } = {}): Logger {
	const level = options.level ?? 'info';
	const fields = options.fields ?? {};
	const log = (rank: LogLevel) => (message: string, more?: LogFields) => {
		if (ranks[rank] < ranks[level]) return;
		deps.write(JSON.stringify({ level: rank, time: deps.now(), msg: message, ...fields, ...plain(more) }));
	};
	return {
		debug: log('debug'),
		info: log('info'),
		warn: log('warn'),
		error: log('error'),
		child: (more) => createLogger(deps, { level, fields: { ...fields, ...more } }),
	};
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLogger };

/** Errors have no enumerable fields, so JSON would print `{}`. */
function plain(fields: LogFields | undefined): LogFields | undefined {
	if (!fields) return undefined;
	const entries = Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? describeError(value) : value]);
	return Object.fromEntries(entries) as LogFields;
}

function describeError(error: Error): Record<string, unknown> {
	const code = (error as { code?: unknown }).code;
	return {
		message: error.message,
		...(code === undefined ? {} : { code }),
		stack: error.stack,
		...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
	};
}
