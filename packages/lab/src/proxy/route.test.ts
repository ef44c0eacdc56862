import { describe, expect, it } from 'vitest';
import { formatRoute, parseRoute } from './route.ts';

describe('parseRoute', () => {
	it.each([
		'unix:/a/api.sock=/b/api.sock',
		'netns:/run/netns/tp-lab-out@172.30.0.254:6443=/b.sock',
		'netns:/run/netns/x@fd00:172:30::fe:6443=/b.sock',
	])('reads what formatRoute writes: %s', (text) => expect(formatRoute(parseRoute(text))).toBe(text));

	it('takes the port after the last colon of an IPv6 address', () => {
		expect(parseRoute('netns:/n@fd00::fe:6443=/t').listen).toEqual({ kind: 'netns', netns: '/n', address: 'fd00::fe', port: 6443 });
	});

	it.each(['', 'unix:/a', 'tcp:1.2.3.4:5=/b', 'netns:/n@1.2.3.4=/b'])('refuses %j', (text) => {
		expect(() => parseRoute(text)).toThrow(expect.objectContaining({ code: 'PROXY_ROUTE' }));
	});
});
