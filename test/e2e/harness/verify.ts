import { execute, labProcesses } from '@tapestry/lab';
import { afterAll, expect } from 'vitest';
import { deps, sharedLab } from './lab.ts';
import { discrepancies } from './northbound.ts';

/** After each file: the Northbound database is what the API's objects compile to, and the machine's own namespace is as clean as before. */
afterAll(async () => {
	expect(await discrepancies()).toEqual([]);
	const { stdout } = await execute(deps, { argv: ['ip', '-brief', 'link'] });
	expect(stdout, 'links in the root namespace').not.toMatch(/^(tap|p-n|ovn0|br-int)/m);
	expect(labProcesses(sharedLab()).length).toBeGreaterThan(0);
});
