import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellLine } from './shell.ts';

describe('shellLine', () => {
	it('leaves plain words as they are', () => {
		expect(shellLine(['ping', '-c1', 'fd00::1'])).toBe('ping -c1 fd00::1');
	});

	it('gives the guest one line that its shell reads back as the same arguments', () => {
		const argument = fc.string({ unit: fc.constantFrom(...'aZ0 \n\r\t\\\'"$`*?!~#&;|<>(){}[]=é') });
		fc.assert(
			fc.property(fc.array(argument, { minLength: 1, maxLength: 4 }), (argv) => {
				const line = shellLine(argv);
				expect(line).not.toMatch(/[\n\r]/);
				const { stdout } = spawnSync('busybox', ['sh', '-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
				expect(stdout.split('\0').slice(0, -1)).toEqual(argv);
			}),
			{ numRuns: 60 },
		);
	});
});
