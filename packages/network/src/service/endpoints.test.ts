import { expect, it } from 'vitest';
import { port, service, slice } from '../compile/testing/worlds.ts';
import type { EndpointSliceFacts } from '../world/objects.ts';
import { serviceEndpoints } from './endpoints.ts';

const web = service('web');
const found = (slices: readonly EndpointSliceFacts[], of = web, family: 4 | 6 = 4) =>
	serviceEndpoints(of, port(80), family, slices).map(({ address, port: number }) => `${address} ${number}`);

it('takes the ready endpoints of the family, each once, in order', () => {
	const slices = [slice('web', 4, ['10.0.0.3', '10.0.0.2']), slice('web', 4, ['10.0.0.3', '!10.0.0.4']), slice('web', 6, ['fd00::2'])];
	expect(found(slices)).toEqual(['10.0.0.2 8080', '10.0.0.3 8080']);
	expect(found(slices, web, 6)).toEqual(['fd00::2 8080']);
	expect(found(slices, service('web', { servesUnready: true }))).toEqual(['10.0.0.2 8080', '10.0.0.3 8080', '10.0.0.4 8080']);
});

it('matches ports by name', () => {
	const slices = [slice('web', 4, ['10.0.0.2'], { ports: { http: 8081 } }), slice('web', 4, ['10.0.0.2'])];
	expect(serviceEndpoints(web, port(80, { name: 'http' }), 4, slices)).toEqual([{ address: '10.0.0.2', port: 8081, node: 'n1' }]);
});

it('falls back on those that end but still serve, only when none is ready', () => {
	const leaving = slice('web', 4, [], { endpoints: [{ address: '10.0.0.5', isReady: false, isServing: true, node: '' }] });
	expect(found([leaving, slice('web', 4, ['!10.0.0.6'])])).toEqual(['10.0.0.5 8080']);
	expect(found([leaving, slice('web', 4, ['10.0.0.6'])])).toEqual(['10.0.0.6 8080']);
});
