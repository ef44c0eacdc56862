import { parseIp } from '@tapestry/base';
import { parseMacAddress } from './address-requests.ts';
import type { Problem } from './problem.ts';
import type { Vip } from './vip.ts';

/** Empty: kept, and used by ports that ask for it. */
export type VipType = '' | 'switch_lb_vip' | 'kube_host_vm_vip';

/** Undefined for a type that there is not. */
export function vipType({ spec: { type = '' } }: Vip): VipType | undefined {
	return type === '' || type === 'switch_lb_vip' || type === 'kube_host_vm_vip' ? type : undefined;
}

/** The labels of `spec.selector`, whose entries are written `key: value`. */
export function vipSelector({ spec: { selector = [] } }: Vip): Readonly<Record<string, string>> {
	return Object.fromEntries(selector.flatMap((text) => readLabel(text) ?? []).map(({ key, value }) => [key, value]));
}

/** What keeps a Vip from being used; empty when it is valid. */
export function vipProblems(vip: Vip): readonly Problem[] {
	const { name } = vip.metadata;
	const { v4ip = '', v6ip = '', macAddress = '', selector = [], type } = vip.spec;
	const what = `Vip ${name} is not in use`;
	const wrong = (field: string, why: string, fix: string): Problem => ({ reason: 'VipMalformed', field: `spec.${field}`, what, why, fix });
	const strange = (field: string, text: string, family: number): Problem[] =>
		text === '' || parseIp(text)?.family === family
			? []
			: [wrong(field, `${JSON.stringify(text)} is not an IPv${family} address`, 'correct it, or leave it out to be given one')];
	const mac = macAddress === '' ? undefined : parseMacAddress(macAddress).problem;
	return [
		...strange('v4ip', v4ip, 4),
		...strange('v6ip', v6ip, 6),
		...(mac ? [wrong('macAddress', mac.why, mac.fix)] : []),
		...(vipType(vip) === undefined
			? [wrong('type', `there is no type ${JSON.stringify(type)}`, 'use switch_lb_vip or kube_host_vm_vip, or leave it empty')]
			: []),
		...selector.flatMap((text, i) =>
			readLabel(text) ? [] : [wrong(`selector[${i}]`, `${JSON.stringify(text)} is not a label`, 'write it like "app: web"')],
		),
	];
}

function readLabel(text: string): { readonly key: string; readonly value: string } | undefined {
	const at = text.indexOf(':');
	const key = text.slice(0, at).trim();
	return at > 0 && key !== '' ? { key, value: text.slice(at + 1).trim() } : undefined;
}
