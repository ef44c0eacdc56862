import { parseIp } from '@tapestry/base';
import { type ApiObject, childOf, fillDefaults, type MutableJson, recordAt, recordsAt, stringAt } from '../objects.ts';
import type { FieldError } from '../schema/index.ts';
import type { Admission, ServiceAddresses, Strategy } from './kind.ts';
import { duplicate, invalidValue, labelProblems, required, unsupported } from './names.ts';
import { portErrors } from './pod.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
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
		allocateNodePorts(spec, admission.services);
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
	if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return;
	const taken = new Set(recordsAt(spec, 'ports').map((port) => port.nodePort));
	for (const port of recordsAt(spec, 'ports')) {
		if (port.nodePort) continue;
		const free = services.freeNodePort(taken);
		if (free === undefined) return;
		port.nodePort = free;
		taken.add(free);
	}
}

function keepNodePorts(spec: MutableJson, old: MutableJson): void {
	if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return;
	for (const port of recordsAt(spec, 'ports')) {
		const same = recordsAt(old, 'ports').find((one) => one.port === port.port && one.protocol === port.protocol);
		if (same?.nodePort) port.nodePort ??= same.nodePort;
	}
}

function validate(object: ApiObject, before: ApiObject | undefined, admission: Admission): FieldError[] {
	const spec = recordAt(object, 'spec') ?? {};
	if (!types.includes(String(spec.type))) return [unsupported('spec.type', spec.type, types)];
	if (spec.type === 'ExternalName') return stringAt(spec, 'externalName') ? [] : [required('spec.externalName')];
	return [...validatePorts(spec), ...validateAddresses(spec, recordAt(before, 'spec'), admission.services)];
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
