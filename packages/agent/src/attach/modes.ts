import type { AttachmentModes } from './attachment.ts';
import { type LiftDeps, LiftMode, type LiftOptions } from './lift.ts';
import { type VethDeps, VethMode } from './veth.ts';

export type ModeDeps = VethDeps & LiftDeps;

/** All ways to attach that there are: a new one is a file of its own and a line here. Disposing stops what they follow; what is attached stays. */
export function createModes(deps: ModeDeps, options: LiftOptions): { readonly modes: AttachmentModes } & AsyncDisposable {
	const lift = new LiftMode(deps, options);
	return { modes: { veth: new VethMode(deps), lift }, [Symbol.asyncDispose]: () => lift.close() };
}
