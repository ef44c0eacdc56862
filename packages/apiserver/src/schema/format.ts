import { isIPv4, isIPv6 } from 'node:net';

const patterns: Readonly<Record<string, RegExp>> = {
	mac: /^([0-9a-f]{2}([:-])([0-9a-f]{2}\2){4}[0-9a-f]{2}|([0-9a-f]{4}\.){2}[0-9a-f]{4})$/i,
	byte: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
	uuid: /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
	hostname: /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i,
	email: /^[^\s@]+@[^\s@]+$/,
	date: /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/,
	'date-time': /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/,
	duration: /^[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$|^[+-]?0$/,
	hexcolor: /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i,
};

const isIp6 = (text: string): boolean => isIPv6(text) && !text.includes('%');

function isCidr(text: string): boolean {
	const [address = '', prefix = '', ...rest] = text.split('/');
	if (rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefix)) return false;
	return (isIPv4(address) && Number(prefix) <= 32) || (isIp6(address) && Number(prefix) <= 128);
}

const checks: Readonly<Record<string, (text: string) => boolean>> = {
	ipv4: isIPv4,
	ipv6: isIp6,
	cidr: isCidr,
	uri: (text) => text.startsWith('/') || URL.canParse(text),
	...Object.fromEntries(Object.entries(patterns).map(([name, pattern]) => [name, (text: string) => pattern.test(text)])),
};

/** The check of a string `format`; undefined for those that Kubernetes ignores. */
export function stringFormat(name: string): ((text: string) => boolean) | undefined {
	return Object.hasOwn(checks, name) ? checks[name] : undefined;
}

const bounds: Readonly<Record<string, readonly [number, number]>> = {
	int32: [-(2 ** 31), 2 ** 31 - 1],
	int64: [-(2 ** 63), 2 ** 63],
};

/** The check of a numeric `format`. JSON numbers beyond 2^53 arrive rounded, so int64 is checked to that precision. */
export function numberFormat(name: string): ((value: number) => boolean) | undefined {
	const range = Object.hasOwn(bounds, name) ? bounds[name] : undefined;
	return range && ((value) => Number.isInteger(value) && value >= range[0] && value <= range[1]);
}
