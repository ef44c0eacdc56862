import { describe, expect, it } from 'vitest';
import { hasCarrier, parseAddressedLink, parseDetailedLink } from './ip-output.ts';

const busybox = `2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1442 qdisc fq_codel qlen 1000
    link/ether 02:58:0a:10:00:05 brd ff:ff:ff:ff:ff:ff
    inet 10.16.0.5/16 brd 10.16.255.255 scope global dynamic noprefixroute eth0
       valid_lft 3600sec preferred_lft 3150sec
    inet6 fd00:10:16::5/128 scope global noprefixroute 
       valid_lft forever preferred_lft forever
`;
const iproute = `2: eth0@if7: <BROADCAST,MULTICAST> mtu 1400 qdisc noqueue state DOWN group default qlen 1000
    link/ether 02:58:0a:10:00:02 brd ff:ff:ff:ff:ff:ff link-netnsid 0
    inet 10.16.0.2/16 scope global eth0
       valid_lft forever preferred_lft forever
`;

describe('parseAddressedLink', () => {
	it("reads busybox' output, also with a terminal's line ends", () => {
		const link = {
			mac: '02:58:0a:10:00:05',
			mtu: 1442,
			up: true,
			addresses: ['10.16.0.5/16', 'fd00:10:16::5/128'],
		};
		expect(parseAddressedLink(busybox)).toEqual(link);
		expect(parseAddressedLink(busybox.replaceAll('\n', '\r\n'))).toEqual(link);
	});

	it("reads iproute2's output of a veth that is down", () => {
		expect(parseAddressedLink(iproute)).toEqual({ mac: '02:58:0a:10:00:02', mtu: 1400, up: false, addresses: ['10.16.0.2/16'] });
	});

	it('knows nothing of a device that is not there', () => {
		expect(parseAddressedLink('ip: can’t find device')).toEqual({ mac: undefined, mtu: undefined, up: false, addresses: [] });
	});
});

describe('parseDetailedLink', () => {
	it('tells a tap that is held from one that is not', () => {
		const link = (flags: readonly string[]) => parseDetailedLink(JSON.stringify([{ ifname: 'tap1', ifindex: 8, mtu: 1442, flags }]));
		expect(hasCarrier(link(['UP', 'LOWER_UP'])!)).toBe(true);
		expect(hasCarrier(link(['NO-CARRIER', 'UP'])!)).toBe(false);
		expect(parseDetailedLink('[]')).toBeUndefined();
	});
});
