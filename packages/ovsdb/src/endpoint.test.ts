import { expect, it } from 'vitest';
import { parseEndpoint } from './endpoint.ts';

it('reads the active connection methods', () => {
	expect(parseEndpoint('unix:/run/ovn/ovnnb_db.sock')).toEqual({ path: '/run/ovn/ovnnb_db.sock' });
	expect(parseEndpoint('tcp:172.30.0.254:6641')).toEqual({ host: '172.30.0.254', port: 6641 });
	expect(parseEndpoint('tcp:[fd00::1]:6641')).toEqual({ host: 'fd00::1', port: 6641 });
});

it.each([
	'',
	'unix:',
	'tcp:6641',
	'tcp:localhost:6641',
	'tcp:1.2.3.4:0',
	'tcp:1.2.3.4:65536',
	'tcp:1.2.3.400:1',
	'tcp:fd00::1:6641',
	'ptcp:6641',
	'ssl:1.2.3.4:1',
])('refuses "%s" and says what to give', (text) => {
	expect(() => parseEndpoint(text)).toThrow(/fix: give unix:/);
});
