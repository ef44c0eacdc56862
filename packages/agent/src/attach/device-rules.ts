import type { PortRules } from '@tapestry/network';

/** Where the agent learns the rules of ports that are not on its switch. */
export interface DeviceRulesSource {
	/** Undefined while nobody has said them. The same object as long as they are the same. */
	rulesOf(port: string): PortRules | undefined;
	/** Calls back when rules may have changed. */
	onChange(listener: () => void): () => void;
}
