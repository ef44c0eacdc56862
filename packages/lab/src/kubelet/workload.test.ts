import type { Container, Pod } from '@tapestry/kube';
import { describe, expect, it } from 'vitest';
import { podPlaces } from './places.ts';
import { containerCommand, podPage } from './workload.ts';

const options = { launcher: ['node', 'launcher.ts', '--guest=/g'], directory: '/state/pods/u' };

function portsOf(containers: readonly Container[], name: string): readonly string[] {
	const pod: Pod = { metadata: { name: 'p' }, spec: { containers } };
	const container = containers.find((one) => one.name === name);
	return container ? containerCommand(pod, container, options).slice(4) : [];
}

describe('containerCommand', () => {
	it('serves the pod page on port 80 when no port is declared', () => {
		const pod: Pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'a' }] } };
		const command = containerCommand(pod, { name: 'a' }, options);
		expect(command.slice(0, 2)).toEqual(['busybox', 'sh']);
		expect(portsOf([{ name: 'a' }, { name: 'b' }], 'a')).toEqual(['80']);
		expect(portsOf([{ name: 'a' }, { name: 'b' }], 'b')).toEqual([]);
	});

	it('serves on the declared TCP ports of each container', () => {
		const a = { name: 'a', ports: [{ containerPort: 8080 }, { containerPort: 53, protocol: 'UDP' as const }, { containerPort: 8443 }] };
		const b = { name: 'b' };
		expect(portsOf([b, a], 'a')).toEqual(['8080', '8443']);
		expect(portsOf([b, a], 'b')).toEqual([]);
	});

	it('runs the launcher for the machine that owns the pod', () => {
		const pod: Pod = {
			metadata: {
				name: 'virt-launcher-vm1-x',
				namespace: 'apps',
				labels: { 'kubevirt.io': 'virt-launcher' },
				ownerReferences: [{ apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 'vm1', uid: 'v' }],
			},
			spec: { containers: [{ name: 'compute' }] },
		};
		const flags = ['--namespace=apps', '--vmi=vm1', '--pod=virt-launcher-vm1-x', '--state=/state/pods/u', '--ready-fd=8'];
		expect(containerCommand(pod, { name: 'compute' }, options)).toEqual([...options.launcher, ...flags]);
	});
});

describe('podPage', () => {
	it('names the pod and its node', () => {
		expect(podPage({ metadata: { name: 'p', namespace: 'apps' } }, 'node1')).toBe('pod apps/p on node1\n');
	});
});

describe('podPlaces', () => {
	it('tells two pods of one name apart, and stays within the length of file names', () => {
		const netns = (name: string, uid: string): string => podPlaces('/s', { metadata: { name, uid } }).netns;
		expect(netns('web', '12345678-9')).toBe('/run/netns/web-12345678');
		expect(netns('web', '87654321-9')).not.toBe(netns('web', '12345678-9'));
		expect(netns('x'.repeat(253), '12345678-9').length).toBeLessThanOrEqual('/run/netns/'.length + 255);
	});
});
