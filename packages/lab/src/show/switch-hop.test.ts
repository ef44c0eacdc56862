import { decodeRow, type OvsInterface, ovsSchema } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { switchHop } from './switch-hop.ts';

const row = (ids: readonly (readonly [string, string])[]) =>
	decodeRow(ovsSchema.tables.Interface, {
		name: 'tap1',
		ofport: 5,
		link_state: 'up',
		mtu: 1442,
		error: ['set', []],
		external_ids: ['map', ids],
		statistics: [
			'map',
			[
				['rx_packets', 14],
				['rx_bytes', 2128],
				['rx_dropped', 1],
				['tx_packets', 8],
				['tx_bytes', 1372],
			],
		],
	}) as unknown as OvsInterface;

describe('switchHop', () => {
	it("takes what the switch receives for the workload's", () => {
		const { facts } = switchHop(
			row([
				['iface-id', 'vm.demo'],
				['ovn-installed', 'true'],
			]),
		);
		expect(facts).toMatchObject({
			ofport: 5,
			ifaceId: 'vm.demo',
			ovnInstalled: true,
			fromWorkload: { packets: 14, bytes: 2128, dropped: 1, errors: 0 },
			toWorkload: { packets: 8, bytes: 1372 },
		});
	});

	it('names the devices that it is mirrored to', () => {
		expect(switchHop(row([]), ['mirror0']).facts.mirroredTo).toEqual(['mirror0']);
	});

	it('sees that the flows are not there yet', () => {
		expect(switchHop(row([['iface-id', 'vm.demo']])).facts.ovnInstalled).toBe(false);
	});
});
