import type { Reflector } from '@tapestry/kube';
import { annotations, type IpLease, type PortRules, parsePortRules } from '@tapestry/network';
import type { DeviceRulesSource } from '../attach/device-rules.ts';

/** The rules of ports that are not on the switch, as the controller writes them on the leases of this node. */
export function leaseRules(leases: Pick<Reflector<IpLease>, 'objects' | 'onChange'>): DeviceRulesSource {
	/** By port, what was read of which text. */
	const known = new Map<string, { readonly text: string; readonly rules: PortRules | undefined }>();
	return {
		rulesOf(port) {
			const text = leases.objects.get(port)?.metadata.annotations?.[annotations.deviceRules];
			if (text === undefined) {
				known.delete(port);
				return undefined;
			}
			const before = known.get(port);
			if (before?.text === text) return before.rules;
			const read = parsePortRules(text);
			const rules = read?.port === port ? read : undefined;
			known.set(port, { text, rules });
			return rules;
		},
		onChange: (listener) => leases.onChange(listener),
	};
}
