import type { LabLayout } from '../layout.ts';
import { type ProcessDeps, run } from '../process.ts';

/** Runs kubectl as the lab's administrator. @throws LAB_COMMAND with kubectl's words */
export function kubectl(
	deps: ProcessDeps,
	layout: LabLayout,
	args: readonly string[],
	options: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<string> {
	return run(deps, ['kubectl', `--kubeconfig=${layout.kubeconfig}`, ...args], options);
}
