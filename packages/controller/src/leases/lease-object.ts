import { parseIp, parseMac } from '@tapestry/base';
import {
	annotations,
	fnv1a,
	type IpLease,
	ipResource,
	labels,
	nodePortName,
	type PortTraffic,
	readTraffic,
	shownMac,
} from '@tapestry/network';
import { type Claimant, claimantKey, isMachine, isOwnerKind, type OwnerKind } from './claimant.ts';

/** The addresses of a lease as text; the MAC address in lower case. */
export interface Addresses {
	readonly v4: string | undefined;
	readonly v6: string | undefined;
	readonly mac: string;
}

/** The limits of Kubernetes' object names and label values. */
const longestName = 253;
const longestLabel = 63;

/** The name of an owner's lease, which is also its port's. `isSecond` when the plain name belongs to another owner. */
export function leaseName(claimant: Claimant, isSecond: boolean): string {
	const plain = plainName(claimant);
	if (!isSecond && plain.length <= longestName) return plain;
	const suffix = `.${fnv1a(claimant.uid).toString(16).padStart(8, '0')}`;
	// What stands before a dot must not end in a dash or another dot (RFC 1123).
	return `${plain.slice(0, longestName - suffix.length).replace(/[-.]+$/, '')}${suffix}`;
}

function plainName({ kind, name, namespace }: Claimant): string {
	if (kind === 'Node') return nodePortName(name);
	return kind === 'Vip' ? `vip-${name}` : `${name}.${namespace}`;
}

export function leaseObject(claimant: Claimant, name: string, subnet: string, addresses: Addresses): IpLease {
	const { v4, v6, mac } = addresses;
	return {
		apiVersion: `${ipResource.group}/${ipResource.version}`,
		kind: ipResource.kind,
		metadata: { name, labels: leaseLabels(claimant, subnet), annotations: { [annotations.owner]: claimantKey(claimant) } },
		spec: {
			podName: claimant.name,
			namespace: claimant.namespace,
			subnet,
			nodeName: claimant.node,
			ipAddress: [v4, v6].filter((ip) => ip !== undefined).join(','),
			v4IpAddress: v4 ?? '',
			v6IpAddress: v6 ?? '',
			macAddress: shownMac(mac),
			containerID: '',
			podType: isMachine(claimant) ? 'VirtualMachine' : '',
		},
	};
}

function leaseLabels(claimant: Claimant, subnet: string): Readonly<Record<string, string>> {
	// A longer name cannot be a label; the lease is then found by its spec only.
	const bySubnet = subnet.length <= longestLabel ? { [labels.subnet]: subnet, [subnet]: '' } : {};
	return { ...bySubnet, [labels.nodeName]: claimant.node, [labels.ipReserved]: 'false', [labels.ownerUid]: claimant.uid };
}

/** An IP object as the controller uses it. */
export interface Lease extends Addresses {
	readonly name: string;
	readonly uid: string;
	readonly created: string;
	readonly subnet: string;
	readonly node: string;
	/** Absent on an object that a user made to keep addresses. */
	readonly owner: LeaseOwner | undefined;
	/** Whether a user made the object: it stays when its owner goes. */
	readonly isReserved: boolean;
	/** What of its owner's wishes for its traffic was last in force. */
	readonly traffic: PortTraffic;
}

export interface LeaseOwner {
	readonly kind: OwnerKind;
	readonly namespace: string;
	readonly name: string;
	readonly uid: string;
}

export function parseLease(object: IpLease): Lease {
	const { name, uid = '', creationTimestamp = '' } = object.metadata;
	const { spec } = object;
	const address = (text: string | undefined) => (text && parseIp(text) ? text : undefined);
	return {
		name,
		uid,
		created: creationTimestamp,
		subnet: spec.subnet ?? '',
		node: object.metadata.labels?.[labels.nodeName] ?? '',
		owner: ownerOf(object),
		isReserved: object.metadata.labels?.[labels.ipReserved] === 'true',
		traffic: readTraffic(object.metadata.annotations ?? {}).traffic,
		v4: address(spec.v4IpAddress),
		v6: address(spec.v6IpAddress),
		mac: parseMac(spec.macAddress ?? '') ?? '',
	};
}

function ownerOf(object: IpLease): LeaseOwner | undefined {
	const uid = object.metadata.labels?.[labels.ownerUid];
	const [kind, namespace, name] = (object.metadata.annotations?.[annotations.owner] ?? '').split('/');
	if (!uid || !isOwnerKind(kind) || namespace === undefined || !name) return undefined;
	return { kind, namespace, name, uid };
}
