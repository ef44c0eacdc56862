import { createIndex, type Index, type Pod } from '@tapestry/kube';
import { isLauncher, machineOfLauncher } from '@tapestry/network';
import type { Sources } from '../world/sources.ts';
import { type Claimant, claimantKey, nodeClaimant, type OwnerKind, podClaimant, vipClaimant, vmClaimant, vmiClaimant } from './claimant.ts';

/** What is owed a lease now, by `Kind/namespace/name`, and when that changes. */
export interface Claimants extends Disposable {
	get(key: string): Claimant | undefined;
	keys(): Iterable<string>;
	/** The pods that a VM's or instance's machine runs in. */
	launchers(key: string): Iterable<Pod>;
}

export function followClaimants(sources: Sources, onChange: (key: string) => void): Claimants {
	const launchers: Index<Pod> = createIndex(sources.pods, launcherKeys);
	const launchersOf = (vm: string): Pod[] => [...launchers.get(vm)];
	const find: Readonly<Record<OwnerKind, (name: string) => Claimant | undefined>> = {
		Pod: (name) => {
			const pod = sources.pods.objects.get(name);
			return pod && podClaimant(pod);
		},
		VirtualMachine: (name) => {
			const vm = sources.vms.objects.get(name);
			return vm && vmClaimant(vm, sources.vmis.objects.get(name), launchersOf(name));
		},
		VirtualMachineInstance: (name) => {
			const vmi = sources.vmis.objects.get(name);
			return vmi && vmiClaimant(vmi, launchersOf(name));
		},
		Vip: (name) => {
			const vip = sources.vips.objects.get(name);
			return vip && vipClaimant(vip);
		},
		Node: (name) => {
			const node = sources.nodes.objects.get(name);
			return node && nodeClaimant(node);
		},
	};
	const stops = [
		sources.pods.onChange(({ before, after }) => {
			const pod = after ?? before;
			if (pod && !isLauncher(pod)) return onChange(keyOf('Pod', pod));
			for (const vm of new Set([before, after].flatMap((one) => (one ? launcherKeys(one) : [])))) {
				onChange(`VirtualMachine/${vm}`);
				onChange(`VirtualMachineInstance/${vm}`);
			}
		}),
		sources.vms.onChange(({ key }) => onChange(`VirtualMachine/${key}`)),
		sources.vmis.onChange(({ key }) => {
			onChange(`VirtualMachine/${key}`);
			onChange(`VirtualMachineInstance/${key}`);
		}),
		sources.vips.onChange(({ key }) => onChange(`Vip//${key}`)),
		sources.nodes.onChange(({ key }) => onChange(`Node//${key}`)),
	];
	return {
		get(key) {
			const { kind, name } = splitKey(key);
			return find[kind]?.(name);
		},
		*keys() {
			for (const key of sources.nodes.objects.keys()) yield `Node//${key}`;
			for (const key of sources.vips.objects.keys()) yield `Vip//${key}`;
			for (const key of sources.vms.objects.keys()) yield `VirtualMachine/${key}`;
			for (const key of sources.vmis.objects.keys()) yield `VirtualMachineInstance/${key}`;
			for (const pod of sources.pods.objects.values()) if (!isLauncher(pod)) yield keyOf('Pod', pod);
		},
		launchers: (key) => launchers.get(splitKey(key).name),
		[Symbol.dispose]() {
			for (const stop of stops) stop();
			launchers[Symbol.dispose]();
		},
	};
}

function launcherKeys(pod: Pod): readonly string[] {
	const vm = machineOfLauncher(pod);
	return vm === undefined ? [] : [vm];
}

/** The kind, and the key of the object in its reflector. */
export function splitKey(key: string): { readonly kind: OwnerKind; readonly name: string } {
	const at = key.indexOf('/');
	return { kind: key.slice(0, at) as OwnerKind, name: key.slice(at + 1).replace(/^\//, '') };
}

function keyOf(kind: OwnerKind, { metadata }: Pod): string {
	return claimantKey({ kind, namespace: metadata.namespace ?? '', name: metadata.name });
}
