import { hostTapName } from '@tapestry/host';
import { expect, it } from 'vitest';
import { defineDomain } from './define-domain.ts';

const uid = '0b1f8a2e-1111-4000-8000-000000000001';
const xml = '<domain><name>ns_vm</name><devices/></domain>';
const instance = (nic: object = {}, more: { annotations?: object; network?: object; devices?: object; domain?: object } = {}): string =>
	JSON.stringify({
		metadata: { name: 'vm', namespace: 'ns', uid, annotations: more.annotations },
		spec: {
			domain: { devices: { interfaces: [{ name: 'default', binding: { name: 'tapestry' }, ...nic }], ...more.devices }, ...more.domain },
			networks: [{ name: 'default', ...(more.network ?? { pod: {} }) }],
		},
	});
const onHost = { annotations: { 'tapestry.io/attachment-mode': 'tap' } };
const mac = { macAddress: '02:00:00:00:00:01' };

it('gives a NIC of ours its tap', () => {
	expect(defineDomain(instance(), xml)).toContain('<target dev="tap0" managed="no">');
	expect(defineDomain(instance({}, { network: { multus: { networkName: 'a' } } }), xml)).toContain('dev="tap37a8eec1ce1"');
	expect(defineDomain(instance({}, { network: { multus: { networkName: 'a', default: true } } }), xml)).toContain('dev="tap0"');
	expect(defineDomain(instance(mac, onHost), xml)).toContain(`dev="${hostTapName(uid, 'default')}"`);
	expect(defineDomain(instance(mac), xml, { isOnNode: true })).toContain(`dev="${hostTapName(uid, 'default')}"`);
});

it('gives back what is none of its business', () => {
	for (const nic of [{ binding: { name: 'passt' } }, { binding: undefined, masquerade: {} }]) {
		expect(defineDomain(instance(nic), 'not even XML')).toBe('not even XML');
	}
	expect(defineDomain(JSON.stringify({ metadata: { name: 'vm' }, spec: { domain: {} } }), xml)).toBe(xml);
});

it('goes by the name that the binding is registered with', () => {
	expect(defineDomain(instance({ binding: { name: 'fast' } }), xml)).toBe(xml);
	expect(defineDomain(instance({ binding: { name: 'fast' } }), xml, { binding: 'fast' })).toContain('tap0');
});

it('follows a registration for a mode', () => {
	const options = { binding: 'tapestry-tap' };
	expect(defineDomain(instance({ ...mac, binding: { name: 'tapestry-tap' } }), xml, options)).toContain(hostTapName(uid, 'default'));
});

it('takes MAC and MTU from the pod, unless the instance says them', () => {
	const networkInfo = { interfaces: [{ network: 'default', mac: '02:00:00:00:00:09', mtu: 1400 }] };
	const defined = defineDomain(instance({}, onHost), xml, { networkInfo });
	expect(defined).toContain('<mac address="02:00:00:00:00:09">');
	expect(defined).toContain('<mtu size="1400">');
	expect(defineDomain(instance(mac, onHost), xml, { networkInfo })).toContain('<mac address="02:00:00:00:00:01">');
	expect(() => defineDomain(instance({}, onHost), xml)).toThrow(/MAC address is not known.*fix: set macAddress/);
});

it('asks for as many queues as processors with multi-queue', () => {
	const more = { devices: { networkInterfaceMultiqueue: true }, domain: { cpu: { cores: 2, threads: 2 } } };
	// `devices` comes from the domain's own in the fixture.
	const vmi = JSON.parse(instance({}, more));
	expect(defineDomain(JSON.stringify(vmi), xml)).toContain('queues="4"');
});

it.each([
	['no JSON', '{'],
	['null', 'null'],
	['a list', '[]'],
	['no name', '{"metadata":{},"spec":{"domain":{}}}'],
	['no domain', '{"metadata":{"name":"a"},"spec":{}}'],
])('refuses an instance that is %s', (_, json) => {
	expect(() => defineDomain(json, xml)).toThrow(expect.objectContaining({ code: 'HOOK_VMI' }));
});

it('refuses a domain that is too long, and an interface without a network', () => {
	expect(() => defineDomain(instance(), `<domain>${' '.repeat(1 << 20)}</domain>`)).toThrow('longer than');
	expect(() => defineDomain(instance({ name: 'other' }), xml)).toThrow('there is no network of this name');
});
