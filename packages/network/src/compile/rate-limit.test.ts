import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verify } from '../plan/verify.ts';
import { nbSchema } from '../schema/nb.generated.ts';
import { compileAll } from './compiler.ts';
import { follow, rows } from './testing/follow.ts';
import { defaultWorld, lease, subnet } from './testing/worlds.ts';

const none = { ingress: undefined, egress: undefined };

describe('limits of a port', () => {
	it('are a row for each way, about this port and no other, on its switch', () => {
		const world = defaultWorld();
		world.set('IP', 'a.d', lease('a.d', { limits: { ingress: { rate: 3000, burst: 1200 }, egress: { rate: 500, burst: 600 } } }));
		world.set('IP', 'b.d', lease('b.d', { v4: '10.16.0.3', v6: undefined }));
		const { database } = follow(world);
		const shown = rows(database, 'QoS').map(({ direction, match, action, bandwidth }) => ({ direction, match, action, bandwidth }));
		expect(shown).toEqual([
			{ direction: 'to-lport', match: 'outport == "a.d"', action: {}, bandwidth: { rate: 3000, burst: 1200 } },
			{ direction: 'from-lport', match: 'inport == "a.d"', action: {}, bandwidth: { rate: 500, burst: 600 } },
		]);
		const holder = rows(database, 'Logical_Switch').find((row) => row.name === 'ovn-default');
		expect(holder?.qos_rules).toHaveLength(2);
	});

	it('change and go with what is asked, and leave the port itself alone', () => {
		const world = defaultWorld();
		const limited = (rate: number) => lease('a.d', { limits: { ...none, egress: { rate, burst: 600 } } });
		world.set('IP', 'a.d', limited(1000));
		const { database, update } = follow(world);
		const port = () => rows(database, 'Logical_Switch_Port').find((row) => row.name === 'a.d');
		const before = port();
		world.set('IP', 'a.d', limited(2000));
		update();
		expect(rows(database, 'QoS').map((row) => row.bandwidth)).toEqual([{ rate: 2000, burst: 600 }]);
		world.set('IP', 'a.d', lease('a.d'));
		update();
		expect(rows(database, 'QoS')).toEqual([]);
		expect(port()).toEqual(before);
	});

	it('are what compiling everything at once gives, whatever came before', () => {
		const limit = fc.option(
			fc.record({ rate: fc.integer({ min: 1, max: 4_294_967_295 }), burst: fc.integer({ min: 600, max: 4_294_967_295 }) }),
			{ nil: undefined },
		);
		const change = fc.record({
			name: fc.constantFrom('a.d', 'b.d'),
			subnet: fc.constantFrom('ovn-default', 'other'),
			ownerUid: fc.constantFrom('u', 'w'),
			limits: fc.record({ ingress: limit, egress: limit }),
			isThere: fc.boolean(),
		});
		fc.assert(
			fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
				const world = defaultWorld();
				world.set('Subnet', 'other', subnet('other', { vpc: 'ovn-cluster' }));
				const { database, update } = follow(world);
				for (const { name, isThere, ...more } of changes) {
					world.set('IP', name, isThere ? lease(name, more) : undefined);
					update();
				}
				expect(verify(nbSchema, compileAll(world), database.tables)).toEqual([]);
				const last = new Map(changes.map((one) => [one.name, one]));
				const wanted = [...last.values()].flatMap(({ isThere, limits }) => (isThere ? [limits.ingress, limits.egress] : []));
				expect(rows(database, 'QoS')).toHaveLength(wanted.filter((one) => one !== undefined).length);
			}),
			{ numRuns: 60 },
		);
	});
});
