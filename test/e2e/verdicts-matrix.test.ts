import { type Case, matrix } from './matrix/matrix.ts';
import { document, namespace, pod, subnet } from './matrix/objects.ts';

/**
 * The table of docs/design/0009-verdicts.md, pair by pair: pod `x-y` is let talk by kind x and kept silent by kind y, in both directions; all other
 * kinds are not about it.
 */
const kinds = ['private', 'acls', 'sg', 'anp', 'np', 'banp'] as const;
type Kind = (typeof kinds)[number];
type Verdict = 'allow' | 'deny';
type Says = Readonly<Partial<Record<Kind, Verdict>>>;

const ns = 'verdicts';
const everybody = [{ namespaces: {} }];
const friends = [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { role: 'friend' } } } }];
const labelled = (kind: Kind, verdict: Verdict) => ({ matchLabels: { [kind]: verdict } });

const adminPolicy = (verdict: Verdict, priority: number) => {
	const action = verdict === 'allow' ? 'Allow' : 'Deny';
	const subject = { pods: { namespaceSelector: {}, podSelector: labelled('anp', verdict) } };
	const spec = { priority, subject, ingress: [{ action, from: everybody }], egress: [{ action, to: everybody }] };
	return document({
		apiVersion: 'policy.networking.k8s.io/v1alpha1',
		kind: 'AdminNetworkPolicy',
		metadata: { name: `verdicts-${verdict}` },
		spec,
	});
};

const baseline = document({
	apiVersion: 'policy.networking.k8s.io/v1alpha1',
	kind: 'BaselineAdminNetworkPolicy',
	metadata: { name: 'default' },
	spec: {
		subject: { pods: { namespaceSelector: {}, podSelector: { matchExpressions: [{ key: 'banp', operator: 'Exists' }] } } },
		ingress: [
			{ action: 'Allow', from: friends },
			{ action: 'Deny', from: everybody },
		],
		egress: [
			{ action: 'Allow', to: friends },
			{ action: 'Deny', to: everybody },
		],
	},
});

const networkPolicy = (verdict: Verdict) => {
	const peers = [{ namespaceSelector: {} }];
	const rules = verdict === 'allow' ? { ingress: [{ from: peers }], egress: [{ to: peers }] } : {};
	const spec = { podSelector: labelled('np', verdict), policyTypes: ['Ingress', 'Egress'], ...rules };
	return document({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: verdict, namespace: ns }, spec });
};

const securityGroup = (verdict: Verdict) => {
	const rules = ['ipv4', 'ipv6'].map((ipVersion) => ({ ipVersion, protocol: 'all', priority: 1, remoteType: 'address', policy: 'allow' }));
	const spec = verdict === 'allow' ? { ingressRules: rules, egressRules: rules } : {};
	return document({ apiVersion: 'kubeovn.io/v1', kind: 'SecurityGroup', metadata: { name: `verdicts-${verdict}` }, spec });
};

/** The subnet of pods about which these kinds say that; the default one where neither is about them. */
const subnetOf = ({ private: kept, acls }: Says) => (kept || acls ? `verdicts-${kept ?? 'no'}-${acls ?? 'no'}` : undefined);

function subnetFor(index: number, says: Says): string {
	const { private: kept, acls } = says;
	const rules = ['from-lport', 'to-lport'].flatMap((direction) => [
		{ direction, priority: 20, match: acls === 'deny' ? 'ip' : 'tcp', action: acls === 'deny' ? 'drop' : 'allow-related' },
		{ direction, priority: 10, match: 'ip', action: 'drop' },
	]);
	return subnet(subnetOf(says) ?? '', {
		cidrBlock: `10.7${index}.0.0/24,fd00:7${index}::/120`,
		...(kept ? { private: true, allowSubnets: kept === 'allow' ? ['10.16.0.0/16', 'fd00:10:16::/112'] : [] } : {}),
		...(acls ? { acls: rules } : {}),
	});
}

function workload(name: string, node: string, says: Says): string {
	const logicalSwitch = subnetOf(says);
	const annotations = {
		...(logicalSwitch ? { 'ovn.kubernetes.io/logical_switch': logicalSwitch } : {}),
		...(says.sg ? { 'ovn.kubernetes.io/security_groups': `verdicts-${says.sg}` } : {}),
	};
	const { anp, np, banp } = says;
	return pod(name, {
		namespace: ns,
		node,
		annotations,
		labels: { ...(anp ? { anp } : {}), ...(np ? { np } : {}), ...(banp ? { banp } : {}) },
	});
}

const pairs = kinds.flatMap((allows) => kinds.filter((denies) => denies !== allows).map((denies) => ({ allows, denies })));
/** Kubernetes' own order is the only thing by which an allow overrides a deny. */
const order: readonly Kind[] = ['anp', 'np', 'banp'];
const overrides = (allows: Kind, denies: Kind) => order.includes(allows) && order.indexOf(denies) > order.indexOf(allows);
const all: Says = { private: 'allow', acls: 'allow', sg: 'allow', anp: 'allow', np: 'allow', banp: 'allow' };

const subnets: readonly Says[] = [
	{ private: 'allow' },
	{ private: 'deny' },
	{ acls: 'allow' },
	{ acls: 'deny' },
	{ private: 'allow', acls: 'deny' },
	{ private: 'deny', acls: 'allow' },
	{ private: 'allow', acls: 'allow' },
];
const at = (name: string) => `pod/${ns}/${name}` as const;
const talk = (name: string, other: string, expectation: Case['expect']): Case[] => [
	{ from: at(other), to: at(name), proto: 'tcp', expect: expectation },
	{ from: at(name), to: at(other), proto: 'tcp', expect: expectation },
];

matrix('verdicts', {
	objects: [
		namespace(ns),
		...subnets.map((says, index) => subnetFor(index, says)),
		...(['allow', 'deny'] as const).flatMap((verdict) => [networkPolicy(verdict), securityGroup(verdict)]),
		adminPolicy('deny', 10),
		adminPolicy('allow', 20),
		baseline,
		pod('friend', { namespace: ns, node: 'n1', labels: { role: 'friend' } }),
		pod('stranger', { namespace: ns, node: 'n2', labels: { role: 'stranger' } }),
		workload('all', 'n2', all),
		...pairs.map(({ allows, denies }, index) =>
			workload(`${allows}-${denies}`, index % 2 ? 'n1' : 'n2', { [allows]: 'allow', [denies]: 'deny' }),
		),
	].join(''),
	cases: [
		...talk('all', 'friend', 'passes'),
		...talk('friend', 'stranger', 'passes'),
		...pairs.flatMap(({ allows, denies }) =>
			talk(`${allows}-${denies}`, denies === 'banp' ? 'stranger' : 'friend', overrides(allows, denies) ? 'passes' : 'silent'),
		),
	],
});
