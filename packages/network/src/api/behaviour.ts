import type { Problem } from './problem.ts';

/** What of a kind has an effect in this version. Paths are below `spec`; `[]` stands for every entry of a list. */
export interface KindBehaviour {
	readonly built: boolean;
	/** Fields that are kept but do nothing. */
	readonly ignored?: readonly string[];
	/** Fields of which only these values do what they say. */
	readonly onlyValues?: Readonly<Record<string, readonly string[]>>;
}

const notBuilt: KindBehaviour = { built: false };

/** By kind; a kind that is not here is not built. */
const behaviours: Readonly<Record<string, KindBehaviour>> = {
	Vpc: {
		built: true,
		ignored: ['staticRoutes[].bfdId', 'enableExternal', 'extraExternalSubnets', 'enableBfd', 'bfdPort'],
	},
	Subnet: {
		built: true,
		ignored: [
			'externalEgressGateway',
			'policyRoutingPriority',
			'policyRoutingTableID',
			'vlan',
			'vips',
			'logicalGateway',
			'disableGatewayCheck',
			'disableInterConnection',
			'u2oInterconnection',
			'u2oInterconnectionIP',
			'u2oFeatures',
			'enableMulticastSnoop',
			'enableExternalLBAddress',
			'nodeNetwork',
		],
		onlyValues: { provider: ['ovn'], gatewayType: ['distributed', 'centralized'] },
	},
	IPPool: { built: true },
	Vip: { built: true, ignored: ['attachSubnets'] },
	IP: { built: true, ignored: ['attachSubnets', 'attachIps', 'attachMacs'] },
	SecurityGroup: {
		built: true,
		ignored: ['tier'],
		onlyValues: { 'ingressRules[].policy': ['allow', 'drop'], 'egressRules[].policy': ['allow', 'drop'] },
	},
	AdminNetworkPolicy: { built: true, ignored: ['egress[].to[].domainNames'] },
	BaselineAdminNetworkPolicy: { built: true, ignored: ['egress[].to[].domainNames'] },
	SwitchLBRule: { built: true },
	VirtualMachine: { built: true },
	VirtualMachineInstance: { built: true },
};

export function behaviourOf(kind: string): KindBehaviour {
	return behaviours[kind] ?? notBuilt;
}

/** The paths that an object asks something of and that do nothing. */
export function ineffectiveFields(kind: string, spec: object): readonly string[] {
	const { ignored = [], onlyValues = {} } = behaviourOf(kind);
	const asks = (path: string) => valuesAt(spec, path.split('.')).some((value) => !isNothing(value));
	const asksOther = ([path, values]: readonly [string, readonly string[]]) =>
		valuesAt(spec, path.split('.')).some((value) => !isNothing(value) && !values.includes(String(value)));
	return [
		...ignored.filter(asks),
		...Object.entries(onlyValues)
			.filter(asksOther)
			.map(([path]) => path),
	];
}

/** What to tell the user of an object that is kept but does not, or not wholly, do what it says. */
export function notBuiltProblem(kind: string, spec: object): Problem | undefined {
	const fix = 'see docs/reference/kinds.md for what this version does';
	if (!behaviourOf(kind).built) {
		return { reason: 'NotBuilt', what: `this ${kind} has no effect`, why: `what a ${kind} does is not built in this version`, fix };
	}
	const fields = ineffectiveFields(kind, spec);
	if (fields.length === 0) return undefined;
	const names = fields.map((path) => `spec.${path}`).join(', ');
	return {
		reason: 'FieldsNotBuilt',
		what: `${names} ${fields.length > 1 ? 'have' : 'has'} no effect`,
		why: 'it is not built in this version',
		fix,
	};
}

function valuesAt(value: unknown, path: readonly string[]): unknown[] {
	const [segment, ...rest] = path;
	if (segment === undefined) return [value];
	if (typeof value !== 'object' || value === null) return [];
	const name = segment.replace('[]', '');
	const child: unknown = Object.entries(value).find(([key]) => key === name)?.[1];
	if (!segment.endsWith('[]')) return valuesAt(child, rest);
	return Array.isArray(child) ? child.flatMap((item: unknown) => valuesAt(item, rest)) : [];
}

/** Whether a value asks for nothing, as the defaults of the API and of Kube-OVN's own clients do. */
function isNothing(value: unknown): boolean {
	if (typeof value === 'object' && value !== null) return Object.values(value).every(isNothing);
	return value === undefined || value === null || value === false || value === '' || value === 0;
}
