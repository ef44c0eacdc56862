import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PluginConfiguration } from '../cni/types.ts';

export interface FakePlugin {
	readonly binDir: string;
	/** The calls so far, in order. */
	calls(): readonly FakeCall[];
	/** The next ADDs answer this error, as often as `times` says. */
	failNext(error: { readonly code: number; readonly msg: string }, times?: number): void;
}

export interface FakeCall {
	readonly command: string;
	readonly containerId: string;
	readonly netns: string;
	readonly ifname: string;
	readonly args: string;
	readonly configuration: PluginConfiguration & { readonly prevResult?: unknown };
}

/** Gives each sandbox an address by the number of the call; makes nothing. */
const script = (directory: string): string => `#!/bin/sh
cd '${directory}' || exit 1
exec 9>>lock
flock 9
{
	printf '{"command":"%s","containerId":"%s","netns":"%s",' "$CNI_COMMAND" "$CNI_CONTAINERID" "$CNI_NETNS"
	printf '"ifname":"%s","args":"%s","configuration":' "$CNI_IFNAME" "$CNI_ARGS"
	tr -d '\\n'
	printf '}\\n'
} >>calls
if [ "$CNI_COMMAND" = ADD ] && [ -s failures ]; then
	head -n 1 failures
	sed -i 1d failures
	exit 1
fi
[ "$CNI_COMMAND" = ADD ] || exit 0
[ -e "$CNI_NETNS" ] || exit 2
count=$(wc -l <calls)
printf '{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.%d/16"},{"address":"fd00:1::%d/112"}]}\\n' "$count" "$count"
`;

/** A CNI plugin of the given type that keeps its calls in `directory`. */
export function createFakePlugin(directory: string, type: string): FakePlugin {
	const binDir = join(directory, 'bin');
	mkdirSync(binDir, { recursive: true });
	const file = join(binDir, type);
	writeFileSync(file, script(directory));
	chmodSync(file, 0o755);
	const calls = join(directory, 'calls');
	return {
		binDir,
		calls() {
			const lines = (existsSync(calls) ? readFileSync(calls, 'utf8') : '').split('\n');
			// Behind the last end of a line is what is being written.
			return lines.slice(0, -1).map((line) => JSON.parse(line) as FakeCall);
		},
		failNext: (error, times = 1) => writeFileSync(join(directory, 'failures'), `${JSON.stringify(error)}\n`.repeat(times)),
	};
}
