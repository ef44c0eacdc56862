import { type Cidr, CodedError, parseCidr } from '@tapestry/base';

// What the flags of programs say. What cannot be read is refused before anything has started.

export interface HostPort {
	readonly host: string;
	readonly port: number;
}

/** @throws FLAG_INVALID */
export function requiredFlag(flag: string, value: string | undefined): string {
	if (value !== undefined && value !== '') return value;
	throw flagError(flag, 'it is missing', `start the program with --${flag}`);
}

/** Blocks of addresses, with commas between them. @throws FLAG_INVALID */
export function cidrsFlag(flag: string, text: string): readonly Cidr[] {
	return text.split(',').map((block) => {
		const cidr = parseCidr(block.trim());
		if (cidr) return cidr;
		throw flagError(flag, `"${block}" is not a block of addresses`, 'write it like 10.96.0.0/16');
	});
}

/** @throws FLAG_INVALID */
export function hostPortFlag(flag: string, text: string): HostPort {
	const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
	const host = match?.[1] ?? match?.[2];
	if (host !== undefined) return { host, port: Number(match?.[3]) };
	throw flagError(flag, `"${text}" is not IP:PORT`, 'write it like 10.0.0.5:9443 or [fd00::5]:9443; port 0 is any free one');
}

/** A whole number, or with `decimals` any. @throws FLAG_INVALID */
export function numberFlag(flag: string, text: string, options: { readonly min: number; readonly decimals?: boolean }): number {
	const value = text.trim() === '' ? Number.NaN : Number(text);
	if (value >= options.min && (options.decimals ? Number.isFinite(value) : Number.isInteger(value))) return value;
	throw flagError(flag, `"${text}" is not a number from ${options.min}`, 'give one');
}

const flagError = (flag: string, why: string, fix: string): CodedError =>
	new CodedError('FLAG_INVALID', { what: `cannot use --${flag}`, why, fix });
