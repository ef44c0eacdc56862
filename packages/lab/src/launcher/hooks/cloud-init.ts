import { CodedError, messageOf } from '@tapestry/base';
import type { MachineDisk } from '../volumes.ts';
import type { Hooks } from './hooks.ts';

/** KubeVirt's CloudInitData (pkg/cloud-init), what is used of it; Go names the members. */
interface CloudInitData {
	readonly DataSource: 'noCloud';
	readonly NoCloudMetaData?: object | null;
	readonly UserData?: string;
	readonly NetworkData?: string;
	readonly VolumeName: string;
}

/** The older form of the same (CloudInitNoCloudSource), which some sidecars still change instead. */
interface NoCloudSource {
	readonly userData?: string;
	readonly networkData?: string;
}

type Files = Readonly<Record<string, string>>;

/** The disks as the hooks at PreCloudInitIso leave their cloud-init data. @throws VM_HOOK */
export async function cloudInitByHooks(hooks: Hooks, disks: readonly MachineDisk[], vmi: string): Promise<readonly MachineDisk[]> {
	const changed: MachineDisk[] = [];
	for (const disk of disks) {
		const { content, name } = disk;
		if (content.kind !== 'cloud-init') changed.push(disk);
		else changed.push({ ...disk, content: { ...content, files: await filesByHooks(hooks, name, content.files, vmi) } });
	}
	return changed;
}

async function filesByHooks(hooks: Hooks, volume: string, files: Files, vmi: string): Promise<Files> {
	const { 'meta-data': metaData = '{}', 'user-data': userData = '', 'network-config': networkData = '' } = files;
	const data: CloudInitData = {
		DataSource: 'noCloud',
		NoCloudMetaData: JSON.parse(metaData) as object,
		UserData: userData,
		NetworkData: networkData,
		VolumeName: volume,
	};
	const source: NoCloudSource = { userData, networkData };
	const answer = await hooks.preCloudInitIso({ data: JSON.stringify(data), noCloudSource: JSON.stringify(source) }, vmi);
	const { NoCloudMetaData: meta, UserData: user = '', NetworkData: network = '' } = parsed<CloudInitData>(answer.data);
	// KubeVirt's order: what is no usable CloudInitData is passed over for the older form.
	if (user !== '' && meta) return withNetwork({ 'meta-data': JSON.stringify(meta), 'user-data': user }, network);
	const older = parsed<NoCloudSource>(answer.noCloudSource);
	return withNetwork({ 'meta-data': metaData, 'user-data': older.userData ?? '' }, older.networkData ?? '');
}

const withNetwork = (files: Files, network: string): Files => ({ ...files, ...(network === '' ? {} : { 'network-config': network }) });

function parsed<T extends object>(text: string): Partial<T> {
	try {
		// Go writes null for what is not there.
		return (JSON.parse(text === '' ? '{}' : text) as Partial<T> | null) ?? {};
	} catch (cause) {
		const fix = 'let it answer with the JSON that it was given, changed';
		throw new CodedError(
			'VM_HOOK',
			{ what: 'the answer of a hook sidecar at PreCloudInitIso cannot be used', why: messageOf(cause), fix },
			{ cause },
		);
	}
}
