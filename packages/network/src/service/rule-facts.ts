import { formatIp, parseIp } from '@tapestry/base';
import { annotations } from '../api/names.ts';
import type { SwitchLbRule } from '../api/service-kinds.ts';
import type { Subnet } from '../api/subnet.ts';
import { rulePortName, ruleSubnets, ruleVips } from '../api/validate-switch-lb-rule.ts';
import type { Vpc } from '../api/vpc.ts';
import type { SwitchLbRuleFacts } from '../world/objects.ts';

/** Name of the headless Service that stands for a rule; Kube-OVN's. */
export const ruleServiceName = (rule: string): string => `slr-${rule}`;

/** A valid rule as the compiler reads it. */
export function switchLbRuleFacts(rule: SwitchLbRule, subnets: readonly Subnet[], vpcs: readonly Vpc[]): SwitchLbRuleFacts {
	const { namespace = '', ports = [], endpoints = [], sessionAffinity } = rule.spec;
	return {
		name: rule.metadata.name,
		vips: ruleVips(rule).map(formatIp),
		namespace,
		ports: ports.map((one) => {
			const protocol = one.protocol?.toUpperCase();
			return {
				name: rulePortName(one),
				protocol: protocol === 'UDP' ? 'udp' : protocol === 'SCTP' ? 'sctp' : 'tcp',
				port: one.port ?? 0,
				nodePort: undefined,
				target: one.targetPort ?? one.port ?? 0,
			};
		}),
		endpoints: endpoints.flatMap((text) => {
			const ip = parseIp(text);
			return ip ? [formatIp(ip)] : [];
		}),
		isSticky: sessionAffinity === 'ClientIP',
		subnets: ruleSubnets(rule, subnets, vpcs).map(({ metadata }) => metadata.name),
		healthSource: rule.metadata.annotations?.[annotations.healthCheckSource],
	};
}
