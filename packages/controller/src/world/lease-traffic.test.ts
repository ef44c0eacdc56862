import type { Reflector } from '@tapestry/kube';
import { annotations, type IpLease, ipResource, writeTraffic } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { createMemoryApi } from '../../../kube/src/testing/memory-client.ts';
import type { Claimant } from '../leases/claimant.ts';
import { parseLease } from '../leases/lease-object.ts';
import { isTrafficStale, trafficOf, writeLeaseTraffic } from './lease-traffic.ts';

const inForce = { ingress: { rate: 3000, burst: 1200 }, egress: undefined, isMirrored: true };
const object = (notes: Readonly<Record<string, string>>): IpLease => ({
	metadata: {
		name: 'a.d',
		labels: { 'tapestry.io/owner-uid': 'u' },
		annotations: { [annotations.owner]: 'Pod/d/a', ...notes },
	},
	spec: { subnet: 's' },
});
const kept = object({ [annotations.ingressRate]: '3', [annotations.ingressBurst]: '1.2', [annotations.mirror]: 'true' });
const claimant = (asked: Readonly<Record<string, string>>, uid = 'u') => ({ uid, annotations: asked }) as unknown as Claimant;

describe('the traffic of a lease', () => {
	it('is what its owner asks for', () => {
		const { traffic } = trafficOf(parseLease(kept), claimant({ [annotations.egressRate]: '1' }));
		expect(traffic).toEqual({ ingress: undefined, egress: { rate: 1000, burst: 600 }, isMirrored: false });
	});

	it('stays what it was while the owner cannot be read, or cannot be seen', () => {
		const bad = trafficOf(parseLease(kept), claimant({ [annotations.ingressRate]: 'x', [annotations.mirror]: 'x' }));
		expect(bad.traffic).toEqual(inForce);
		expect(bad.problems.map(({ reason }) => reason)).toEqual(['RateMalformed', 'MirrorMalformed']);
		expect(trafficOf(parseLease(kept), undefined)).toEqual({ traffic: inForce, problems: [] });
		expect(trafficOf(parseLease(kept), claimant({}, 'another of the name')).traffic).toEqual(inForce);
	});

	it('is not written over what has not been seen yet', async () => {
		const api = createMemoryApi();
		const client = api.client();
		const seen = await client.create<IpLease>(ipResource, kept);
		const later = { metadata: { annotations: { [annotations.ingressRate]: '7' } } };
		await client.patch(ipResource, { name: 'a.d' }, 'application/merge-patch+json', later);
		const ips = { objects: new Map([['a.d', seen]]) } as unknown as Reflector<IpLease>;
		const asked = claimant({ [annotations.ingressRate]: 'x' });
		await writeLeaseTraffic({ client, ips }, parseLease(seen), asked, new AbortController().signal);
		expect(api.read(ipResource, { name: 'a.d' })?.metadata.annotations).toMatchObject({ [annotations.ingressRate]: '7' });
	});

	it('is written when the object says something else', () => {
		expect(isTrafficStale(kept, inForce)).toBe(false);
		expect(isTrafficStale(kept, { ...inForce, isMirrored: false })).toBe(true);
		expect(isTrafficStale(object({}), inForce)).toBe(true);
		expect(isTrafficStale(object({}), { ingress: undefined, egress: undefined, isMirrored: false })).toBe(false);
		expect(writeTraffic(inForce)).toEqual({
			[annotations.ingressRate]: '3',
			[annotations.ingressBurst]: '1.2',
			[annotations.egressRate]: null,
			[annotations.egressBurst]: null,
			[annotations.mirror]: 'true',
		});
	});
});
