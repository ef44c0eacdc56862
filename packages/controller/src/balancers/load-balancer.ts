import { type Cidr, cidrContains, formatCidr, formatIp, parseIp } from '@tapestry/base';
import { keyOf, type Service } from '@tapestry/kube';
import { isOlder, type Problem } from '@tapestry/network';

/** What a Service of type LoadBalancer gets. */
export type Outer =
	| { readonly kind: 'addresses'; readonly ips: readonly string[] }
	| { readonly kind: 'problem'; readonly problem: Problem }
	/** Not ours: it asks for no address, or for another kind of load balancer. */
	| { readonly kind: 'none' };

/** A block that no outer address may be in. */
export interface Reserved {
	readonly cidr: Cidr;
	/** What is there, such as `subnet web`. */
	readonly by: string;
}

/** The addresses that a Service asks for by `spec.loadBalancerIP`: one, or one of each family with `,` between them. Of two the older has one. */
export function outerAddresses(service: Service, others: Iterable<Service>, reserved: readonly Reserved[]): Outer {
	const { type, loadBalancerIP = '', loadBalancerClass, ipFamilies = ['IPv4'] } = service.spec ?? {};
	if (type !== 'LoadBalancer' || loadBalancerIP === '' || loadBalancerClass) return { kind: 'none' };
	const what = 'the Service has no outer address';
	const field = 'spec.loadBalancerIP';
	const texts = loadBalancerIP.split(',').map((text) => text.trim());
	const ips = texts.flatMap((text) => parseIp(text) ?? []);
	const problem = (reason: string, why: string, fix: string): Outer => ({ kind: 'problem', problem: { reason, field, what, why, fix } });
	if (ips.length !== texts.length || new Set(ips.map(({ family }) => family)).size !== ips.length) {
		return problem(
			'InvalidAddress',
			`"${loadBalancerIP}" is not an address, nor one of each family`,
			'write it like 192.0.2.9 or 192.0.2.9,fd00::9',
		);
	}
	const alien = ips.find(({ family }) => !ipFamilies.includes(`IPv${family}`));
	if (alien) {
		const fix = 'set ipFamilyPolicy: PreferDualStack, or leave it out';
		return problem('OtherFamily', `the Service has no IPv${alien.family}, which ${formatIp(alien)} is of`, fix);
	}
	const within = reserved.find(({ cidr }) => ips.some((ip) => cidrContains(cidr, ip)));
	if (within) {
		const why = `it lies in ${formatCidr(within.cidr)}, where ${within.by} is`;
		return problem('AddressReserved', why, 'use an address outside of the cluster');
	}
	const own = ips.map(formatIp);
	for (const other of others) {
		if (keyOf(other) === keyOf(service) || !isOlder(other, service)) continue;
		const taken = listenersOf(other).find((listener) => listenersOf(service).includes(listener));
		if (taken) return problem('AddressTaken', `Service ${keyOf(other)} has ${taken} already`, 'use another address or port');
	}
	return { kind: 'addresses', ips: own };
}

function listenersOf({ spec }: Service): string[] {
	if (spec?.type !== 'LoadBalancer' || !spec.loadBalancerIP || spec.loadBalancerClass) return [];
	const ips = spec.loadBalancerIP.split(',').flatMap((text) => parseIp(text.trim()) ?? []);
	return ips.flatMap((ip) => (spec.ports ?? []).map(({ port, protocol = 'TCP' }) => `${formatIp(ip)} ${protocol} ${port}`));
}
