import { describe, expect, it } from 'vitest';
import { passtArguments } from './passt.ts';

const common = { socket: '/s', ifname: 'eth0', mtu: 1442 };
const ports = (forward: Parameters<typeof passtArguments>[0]['forward']) =>
	passtArguments({ ...common, forward })
		.join(' ')
		.replace(/.*(--tcp-ports)/, '$1');

describe('passtArguments', () => {
	it('lets everything in when no port is named, and else only those', () => {
		expect(ports([])).toBe('--tcp-ports all --udp-ports all');
		expect(
			ports([
				{ protocol: 'tcp', port: 80 },
				{ protocol: 'tcp', port: 443 },
			]),
		).toBe('--tcp-ports 80,443 --udp-ports none');
	});

	it('tells the guest the MTU of the network, and leaves its gateway to it', () => {
		expect(passtArguments({ ...common, forward: [] }).join(' ')).toContain('--no-map-gw --socket /s --interface eth0 --mtu 1442');
	});
});
