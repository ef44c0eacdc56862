import { createSteps, type LabLayout, labLayout, missingPackages, type Steps, up } from '@tapestry/lab';
import type { CliContext, LabOption } from '../context.ts';

export interface UpResult {
	readonly layout: LabLayout;
	readonly steps: Steps;
}

/** Says what will be installed, then brings the lab up step by step. @param options.total how many steps the caller will show in all */
export async function bringUp(
	context: CliContext,
	lab: LabOption & { readonly nodes: number; readonly dpdk?: readonly string[] },
	options: { readonly total: number },
): Promise<UpResult> {
	const layout = labLayout(lab.name);
	const missing = missingPackages(context).map(({ name }) => name);
	if (missing.length > 0) context.write(`Debian packages to install on this machine: ${missing.join(' ')}\n`);
	context.write(`The lab's files go to ${layout.dir}, builds to .cache in this checkout; "npm run lab -- down" removes the lab.\n`);
	const steps = createSteps(context, options);
	await up(context, layout, steps, { nodes: lab.nodes, ...(lab.dpdk ? { dpdk: lab.dpdk } : {}), signal: context.signal });
	return { layout, steps };
}
