import { type KataTapDeps, kataTapMode } from '../kata/kata-tap.ts';
import { type KataVfioDeps, kataVfioMode } from '../kata/kata-vfio.ts';
import { kataVhostUserMode } from '../kata/kata-vhost-user.ts';
import type { AttachmentMode, AttachmentModes, ModeName } from './attachment.ts';
import { bridgeWiring, managedTapWiring } from './bridge.ts';
import { HostTapMode } from './host-tap.ts';
import { type LiftDeps, LiftMode, type LiftOptions } from './lift.ts';
import { macvtapMode, macvtapWiring } from './macvtap.ts';
import { MacvtapNic, type MacvtapNicDeps } from './macvtap-nic.ts';
import { masqueradeWiring } from './masquerade.ts';
import { tcRedirectWiring } from './tc-redirect.ts';
import { passtWiring, slirpWiring } from './user-stack.ts';
import { containerWiring, type VethDeps, VethMode } from './veth.ts';
import { VhostUserMode, type VhostUserOptions } from './vhost-user.ts';
import type { Wiring } from './wiring.ts';

export type ModeDeps = VethDeps & LiftDeps & KataTapDeps & KataVfioDeps & MacvtapNicDeps;

/** All ways to attach that there are: a new one is a file of its own and a line here. Disposing stops what they follow; what is attached stays. */
export function createModes(
	deps: ModeDeps,
	options: LiftOptions & VhostUserOptions,
): { readonly modes: AttachmentModes } & AsyncDisposable {
	const lift = new LiftMode(deps, options);
	const tap = new HostTapMode(deps);
	const vhostUser = new VhostUserMode(deps, options);
	const macvtapNic = new MacvtapNic(deps);
	const wired = (wiring: Wiring): AttachmentMode => new VethMode(deps, { wiring });
	const modes: Record<ModeName, AttachmentMode> = {
		veth: wired(containerWiring),
		'host-tap': kataTapMode(deps),
		'kata-vhost-user': kataVhostUserMode({ ...deps, vhostUser }),
		vfio: kataVfioMode(deps),
		lift,
		tap,
		bridge: wired(bridgeWiring(deps)),
		managedtap: wired(managedTapWiring(deps)),
		masquerade: wired(masqueradeWiring(deps)),
		tcredirect: wired(tcRedirectWiring(deps)),
		macvtap: macvtapMode(wired(macvtapWiring(deps)), macvtapNic),
		passt: wired(passtWiring(deps)),
		slirp: wired(slirpWiring()),
		'vhost-user': vhostUser,
	};
	return {
		modes,
		async [Symbol.asyncDispose]() {
			await Promise.all([tap.close(), lift.close(), macvtapNic.close()]);
		},
	};
}
