import { expect, it } from 'vitest';
import type { MachineDisk } from '../volumes.ts';
import { cloudInitByHooks } from './cloud-init.ts';
import type { CloudInitAnswer, Hooks } from './hooks.ts';

const disk = (name: string, content: MachineDisk['content']): MachineDisk => ({
	...{ name, content, device: 'disk', bus: 'virtio', readOnly: true, boots: false },
});
const files = {
	'meta-data': '{"instance-id":"vm1.default","local-hostname":"vm1"}',
	'user-data': '#cloud-config\n',
	'network-config': 'v: 2',
};
const disks = [disk('empty', { kind: 'empty', bytes: 1 }), disk('seed', { kind: 'cloud-init', files })];

/** What a hook that answers so leaves of the files. */
async function after(answer: (given: CloudInitAnswer, vmi: string) => Partial<CloudInitAnswer>): Promise<unknown> {
	const hooks: Hooks = {
		onDefineDomain: async (domain) => domain,
		preCloudInitIso: async (given, vmi) => ({ data: '', noCloudSource: '', ...answer(given, vmi) }),
		shutdown: async () => {},
	};
	const [first, second] = await cloudInitByHooks(hooks, disks, '{"kind":"VirtualMachineInstance"}');
	expect(first).toBe(disks[0]);
	return second?.content.kind === 'cloud-init' ? second.content.files : undefined;
}

it("gives a hook KubeVirt's data in both forms, and leaves what it leaves", async () => {
	const left = await after((given, vmi) => {
		expect(JSON.parse(vmi)).toEqual({ kind: 'VirtualMachineInstance' });
		expect(JSON.parse(given.data)).toEqual({
			DataSource: 'noCloud',
			NoCloudMetaData: { 'instance-id': 'vm1.default', 'local-hostname': 'vm1' },
			UserData: '#cloud-config\n',
			NetworkData: 'v: 2',
			VolumeName: 'seed',
		});
		expect(JSON.parse(given.noCloudSource)).toEqual({ userData: '#cloud-config\n', networkData: 'v: 2' });
		return given;
	});
	expect(left).toEqual(files);
});

it('uses what comes back', async () => {
	const change = (given: CloudInitAnswer, more: object) => ({ data: JSON.stringify({ ...JSON.parse(given.data), ...more }) });
	expect(await after((given) => change(given, { UserData: '#!/bin/sh\n', NetworkData: '' }))).toEqual({
		'meta-data': files['meta-data'],
		'user-data': '#!/bin/sh\n',
	});
	expect(await after((given) => change(given, { NoCloudMetaData: { 'instance-id': 'other' } }))).toMatchObject({
		'meta-data': '{"instance-id":"other"}',
	});
});

it('takes the older form from a hook that knows no other', async () => {
	const older = { noCloudSource: '{"userData":"old"}' };
	for (const data of ['', 'null', '{"UserData":""}', '{"UserData":"x","NoCloudMetaData":null}']) {
		expect(await after(() => ({ ...older, data }))).toEqual({ 'meta-data': files['meta-data'], 'user-data': 'old' });
	}
});

it('refuses an answer that is not JSON', async () => {
	await expect(after(() => ({ data: 'nonsense' }))).rejects.toThrow('the answer of a hook sidecar at PreCloudInitIso cannot be used');
});
