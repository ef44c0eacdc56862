import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createNamespace, deleteNamespace } from '../namespace.ts';

/* In a fresh /run: names of ours and of ip(8) are made and removed in turns. Prints what is left of ours. */

const ours = ['/run/netns/first', '/run/netns/second'] as const;
const ip = (...args: readonly string[]): void => {
	const { status, stderr } = spawnSync('ip', ['netns', ...args], { encoding: 'utf8' });
	if (status !== 0) throw new Error(stderr);
};
createNamespace(ours[0]);
ip('add', 'theirs');
createNamespace(ours[1]);
ip('delete', 'theirs');
for (const path of ours) deleteNamespace(path);
process.stdout.write(JSON.stringify(ours.filter((path) => existsSync(path))));
