import { CodedError } from '@tapestry/base';
import type { MachineInterface } from '@tapestry/network';

/** KubeVirt's, on the instance: sidecars of its launcher, as a JSON list. */
export const hookSidecarsAnnotation = 'hooks.kubevirt.io/hookSidecars';

/** By image: the program, below packages/, that stands for it, and its arguments. The lab runs no images. */
const programs: Readonly<Record<string, Pick<HookSidecar, 'program' | 'args'>>> = {
	'tapestry.io/hook-sidecar': { program: 'agent/src/kubevirt/sidecar/main.ts', args: ['--guest-checksums'] },
};

/** The binding plugins that are registered with a sidecar, by name, and its image: as in deploy/kubevirt/binding-with-sidecar.yaml. */
const registered: Readonly<Record<string, string>> = { 'tapestry-tap': 'tapestry.io/hook-sidecar' };

export interface HookSidecar {
	/** Below packages/. */
	readonly program: string;
	readonly args: readonly string[];
	/** Name of the registered binding plugin that it belongs to. */
	readonly binding?: string;
}

/** One for each registered binding plugin that a NIC names, however many do. */
export function bindingSidecarsOf(interfaces: readonly Pick<MachineInterface, 'binding'>[]): readonly HookSidecar[] {
	return [...new Set(interfaces.map(({ binding }) => binding?.name ?? ''))].flatMap((binding) => {
		const program = programs[registered[binding] ?? ''];
		return program === undefined ? [] : [{ ...program, binding }];
	});
}

/** In KubeVirt's order: that of the list. @throws VM_HOOK */
export function hookSidecarsOf(annotation: string | undefined): readonly HookSidecar[] {
	if (annotation === undefined) return [];
	let list: unknown;
	try {
		list = JSON.parse(annotation);
	} catch (cause) {
		throw refused('it is not JSON', 'write a list such as [{"image": "tapestry.io/hook-sidecar"}]', cause);
	}
	if (!Array.isArray(list)) throw refused('it is not a list', 'write a list such as [{"image": "tapestry.io/hook-sidecar"}]');
	return list.map((entry: unknown) => {
		const { image, args } = (entry ?? {}) as { readonly image?: unknown; readonly args?: unknown };
		const program = typeof image === 'string' ? programs[image] : undefined;
		if (program === undefined) {
			throw refused(
				`image ${JSON.stringify(image)} is none that the lab has a program for`,
				`use one of ${Object.keys(programs).join(', ')}`,
			);
		}
		return { ...program, args: [...program.args, ...(Array.isArray(args) ? args.map(String) : [])] };
	});
}

function refused(why: string, fix: string, cause?: unknown): CodedError {
	return new CodedError('VM_HOOK', { what: `annotation ${hookSidecarsAnnotation} cannot be followed`, why, fix }, { cause });
}
