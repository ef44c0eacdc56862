import type { Clock } from '@tapestry/base';

/** What every command works with; main.ts makes it from the process. */
export interface CliContext {
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	/** Aborted by SIGINT and SIGTERM. */
	readonly signal: AbortSignal;
	/** Whether standard output is a terminal that shows colours. */
	readonly isTerminal: boolean;
	/** Standard output, and standard error. */
	write(text: string): void;
	writeError(text: string): void;
	/** The status that the process ends with. */
	exit(status: number): void;
}

/** The option that all `lab` commands share. */
export interface LabOption {
	readonly name: string;
}
