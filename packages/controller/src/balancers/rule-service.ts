import { apiVersionOf, type Service } from '@tapestry/kube';
import {
	annotations,
	rulePortName,
	ruleSelector,
	ruleServiceName,
	ruleVips,
	type SwitchLbRule,
	switchLbRuleResource,
} from '@tapestry/network';

/** The headless Service that stands for a rule: the cluster's own controller finds the pods behind it. */
export function ruleService(rule: SwitchLbRule): Service {
	const { name, uid = '' } = rule.metadata;
	const { namespace = '', endpoints = [], ports = [], sessionAffinity, vip = '' } = rule.spec;
	const families = ruleVips(rule).map(({ family }) => `IPv${family}` as const);
	const selector = ruleSelector(rule) ?? {};
	return {
		metadata: {
			name: ruleServiceName(name),
			namespace,
			annotations: { [annotations.switchLbVip]: vip },
			ownerReferences: [
				{
					apiVersion: apiVersionOf(switchLbRuleResource),
					kind: switchLbRuleResource.kind,
					name,
					uid,
					controller: true,
					blockOwnerDeletion: false,
				},
			],
		},
		spec: {
			type: 'ClusterIP',
			clusterIP: 'None',
			ipFamilies: families,
			ipFamilyPolicy: families.length > 1 ? 'RequireDualStack' : 'SingleStack',
			sessionAffinity: sessionAffinity === 'ClientIP' ? 'ClientIP' : 'None',
			// Listed endpoints stand in the rule itself.
			...(endpoints.length > 0 ? {} : { selector }),
			ports: ports.map((one) => ({
				name: rulePortName(one),
				port: one.port ?? 0,
				targetPort: one.targetPort ?? one.port ?? 0,
				protocol: (one.protocol?.toUpperCase() || 'TCP') as 'TCP' | 'UDP' | 'SCTP',
			})),
		},
	};
}
