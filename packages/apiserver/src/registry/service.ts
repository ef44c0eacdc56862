import { parseIp } from '@tapestry/base';
import { type ApiObject, childOf, fillDefaults, type MutableJson, recordAt, recordsAt, stringAt } from '../objects.ts';
import type { FieldError } from '../schema/index.ts';
import type { Admission, ServiceAddresses, Strategy } from './kind.ts';
import { duplicate, invalidValue, labelProblems, required, unsupported } from './names.ts';
import { portErrors } from './pod.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const familyPolicies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const protocols = ['SCTP', 'TCP', 'UDP'];

export const serviceStrategy: Strategy = {
	names: 'label1035',
	returnsDeleted: true,
	fields: ['spec.clusterIP', 'spec.type'],
	create(draft, admission) {
		const spec = childOf(draft, 'spec');
		applyDefaults(spec);
		draft.status = { loadBalancer: {} };
		if (spec.type === 'ExternalName') return;
		allocateAddresses(spec, admission.services);
		allocateNodePorts(spec, admission.services);
	},
	update(draft, before, admission) {
		const spec = childOf(draft, 'spec');
		const old = recordAt(before, 'spec') ?? {};
		applyDefaults(spec);
		if (spec.type === 'ExternalName') {
			for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) delete spec[key];
			return;
		}
		// `kubectl apply` and `replace` send manifests without what the server allocated.
		const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy } = old;
		fillDefaults(spec, { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy });
		keepNodePorts(spec, old);
		if (spec.clusterIP === undefined) allocateAddresses(spec, admission.services);
		else changeFamilies(spec, old, admission.services);
		allocateNodePorts(spec, admission.services);
		// What a load balancer has given is gone with the type that asked for it.
		if (spec.type !== 'LoadBalancer') draft.status = { ...recordAt(draft, 'status'), loadBalancer: {} };
	},
	validate,
};

function applyDefaults(spec: MutableJson): void {
	fillDefaults(spec, { type: 'ClusterIP', sessionAffinity: 'None' });
	if (spec.type !== 'ExternalName') fillDefaults(spec, { internalTrafficPolicy: 'Cluster' });
	if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') fillDefaults(spec, { externalTrafficPolicy: 'Cluster' });
	for (const port of recordsAt(spec, 'ports')) fillDefaults(port, { protocol: 'TCP', targetPort: port.port });
}

function allocateAddresses(spec: MutableJson, services: ServiceAddresses): void {
	const asked = Array.isArray(spec.clusterIPs)
		? spec.clusterIPs.map(String)
		: typeof spec.clusterIP === 'string' && spec.clusterIP
			? [spec.clusterIP]
			: [];
	const families = familiesOf(spec, asked, services);
	spec.ipFamilies = families.map((family) => `IPv${family}`);
	spec.ipFamilyPolicy ??= families.length > 1 ? 'RequireDualStack' : 'SingleStack';
	const addresses = asked[0] === 'None' ? ['None'] : families.flatMap((family, index) => asked[index] ?? services.free(family) ?? []);
	spec.clusterIPs = addresses;
	spec.clusterIP = addresses[0];
}

/** `ipFamilyPolicy` may be changed later: a second address comes, or goes; the first stays. */
function changeFamilies(spec: MutableJson, old: MutableJson, services: ServiceAddresses): void {
	const addresses = Array.isArray(spec.clusterIPs) ? spec.clusterIPs.map(String) : [];
	const families = Array.isArray(spec.ipFamilies) ? spec.ipFamilies : [];
	if (spec.ipFamilyPolicy === old.ipFamilyPolicy || addresses[0] === 'None') return;
	if (spec.ipFamilyPolicy === 'SingleStack') {
		spec.clusterIPs = addresses.slice(0, 1);
		spec.ipFamilies = families.slice(0, 1);
		return;
	}
	const missing = services.families.filter((family) => !families.includes(`IPv${family}`)).slice(0, 2 - addresses.length);
	spec.clusterIPs = [...addresses, ...missing.flatMap((family) => services.free(family) ?? [])];
	spec.ipFamilies = [...families, ...missing.map((family) => `IPv${family}`)];
}

function familiesOf(spec: MutableJson, asked: readonly string[], services: ServiceAddresses): (4 | 6)[] {
	const named = (Array.isArray(spec.ipFamilies) ? spec.ipFamilies : []).flatMap((name) =>
		name === 'IPv4' ? [4 as const] : name === 'IPv6' ? [6 as const] : [],
	);
	const ofAddresses = asked.flatMap((address) => parseIp(address)?.family ?? []);
	const first = named.length > 0 ? named : ofAddresses.length > 0 ? ofAddresses : services.families.slice(0, 1);
	if (spec.ipFamilyPolicy !== 'PreferDualStack' && spec.ipFamilyPolicy !== 'RequireDualStack') return first;
	return [...first, ...services.families.filter((family) => !first.includes(family))];
}

function allocateNodePorts(spec: MutableJson, services: ServiceAddresses): void {
	if (!hasNodePorts(spec)) {
		// Another type of before may have left them.
		for (const port of recordsAt(spec, 'ports')) delete port.nodePort;
		delete spec.healthCheckNodePort;
		return;
	}
	const taken = new Set(recordsAt(spec, 'ports').map((port) => port.nodePort));
	if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') delete spec.healthCheckNodePort;
	else if (!spec.healthCheckNodePort) {
		spec.healthCheckNodePort = services.freeNodePort(taken);
		taken.add(spec.healthCheckNodePort);
	} else taken.add(spec.healthCheckNodePort);
	for (const port of recordsAt(spec, 'ports')) {
		if (port.nodePort) continue;
		const free = services.freeNodePort(taken);
		if (free === undefined) return;
		port.nodePort = free;
		taken.add(free);
	}
}

const hasNodePorts = (spec: MutableJson): boolean => spec.type === 'NodePort' || spec.type === 'LoadBalancer';

function keepNodePorts(spec: MutableJson, old: MutableJson): void {
	if (!hasNodePorts(spec)) return;
	if (old.healthCheckNodePort) spec.healthCheckNodePort ??= old.healthCheckNodePort;
	for (const port of recordsAt(spec, 'ports')) {
		const same = recordsAt(old, 'ports').find((one) => one.port === port.port && one.protocol === port.protocol);
		if (same?.nodePort) port.nodePort ??= same.nodePort;
	}
}

function validate(object: ApiObject, before: ApiObject | undefined, admission: Admission): FieldError[] {
	const spec = recordAt(object, 'spec') ?? {};
	if (!types.includes(String(spec.type))) return [unsupported('spec.type', spec.type, types)];
	if (spec.type === 'ExternalName') return stringAt(spec, 'externalName') ? [] : [required('spec.externalName')];
	const old = recordAt(before, 'spec');
	return [
		...validatePorts(spec),
		...validateFamilies(spec, admission.services),
		...validateAddresses(spec, old, admission.services),
		...validateNodePorts(spec, old, admission.services),
	];
}

function validateFamilies(spec: MutableJson, services: ServiceAddresses): FieldError[] {
	const policy = spec.ipFamilyPolicy;
	if (policy !== undefined && !familyPolicies.includes(String(policy))) return [unsupported('spec.ipFamilyPolicy', policy, familyPolicies)];
	const isHeadless = spec.clusterIP === 'None';
	if (policy !== 'RequireDualStack' || isHeadless || services.families.length > 1) return [];
	return [invalidValue('spec.ipFamilyPolicy', policy, 'this cluster is not configured for dual-stack services')];
}

function validateNodePorts(spec: MutableJson, old: MutableJson | undefined, services: ServiceAddresses): FieldError[] {
	if (!hasNodePorts(spec)) return [];
	const kept = new Set(recordsAt(old ?? {}, 'ports').map((port) => `${port.protocol} ${port.nodePort}`));
	const seen = new Set<string>();
	return recordsAt(spec, 'ports').flatMap((port, index) => {
		const at = `spec.ports[${index}].nodePort`;
		const { nodePort, protocol } = port;
		if (nodePort === undefined) return [invalidValue(at, nodePort, 'no port is free in the range of node ports')];
		const key = `${protocol} ${nodePort}`;
		if (seen.has(key)) return [duplicate(at, nodePort)];
		seen.add(key);
		if (kept.has(key)) return [];
		if (!services.inNodePorts(nodePort))
			return [invalidValue(at, nodePort, 'provided port is not in the valid range. The range of valid ports is 30000-32767')];
		return services.nodePortTaken(nodePort, protocol) ? [invalidValue(at, nodePort, 'provided port is already allocated')] : [];
	});
}

function validatePorts(spec: MutableJson): FieldError[] {
	const ports = recordsAt(spec, 'ports');
	if (ports.length === 0 && spec.clusterIP !== 'None') return [required('spec.ports')];
	const names = new Set<unknown>();
	return ports.flatMap((port, index) => {
		const at = `spec.ports[${index}]`;
		const errors = portErrors(port.port, `${at}.port`);
		if (!protocols.includes(String(port.protocol))) errors.push(unsupported(`${at}.protocol`, port.protocol, protocols));
		if (typeof port.name === 'string') errors.push(...labelProblems(port.name).map((why) => invalidValue(`${at}.name`, port.name, why)));
		else if (ports.length > 1) errors.push(required(`${at}.name`));
		if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name));
		names.add(port.name);
		return errors;
	});
}

function validateAddresses(spec: MutableJson, old: MutableJson | undefined, services: ServiceAddresses): FieldError[] {
	const addresses = Array.isArray(spec.clusterIPs) ? spec.clusterIPs.map(String) : [];
	if (old?.clusterIP && old.clusterIP !== spec.clusterIP) return [invalidValue('spec.clusterIPs[0]', addresses, 'may not change once set')];
	if (addresses.length === 0) return [invalidValue('spec.clusterIPs', addresses, 'no address is free in the Service CIDRs')];
	const kept = new Set(Array.isArray(old?.clusterIPs) ? old.clusterIPs : []);
	return addresses.flatMap((address, index) => {
		if (address === 'None' || kept.has(address)) return [];
		const at = `spec.clusterIPs[${index}]`;
		if (!parseIp(address)) return [invalidValue(at, address, 'must be a valid IP address')];
		return services.available(address)
			? []
			: [invalidValue(at, address, 'the provided IP is not in the valid range, or is already allocated')];
	});
}
