import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyYaml, deleteYaml, inWorkload, kube, kubeJson, sharedLab, tapestry } from './harness/lab.ts';

const share = mkdtempSync(join(tmpdir(), 'tapestry-share-'));
chmodSync(share, 0o777);
writeFileSync(join(share, 'from-node'), 'hello guest\n');

// Typed options beside texts of OVN's own names: T1 is what makes the guest renew soon.
const objects = `apiVersion: v1
kind: Namespace
metadata: { name: guests }
---
apiVersion: kubeovn.io/v1
kind: Subnet
metadata: { name: guests }
spec:
  cidrBlock: 10.77.0.0/24,fd00:77::/112
  namespaces: [guests]
  mtu: 1400
  dhcp:
    dns: [10.0.0.53, 10.0.0.54, "fd00::53"]
    domain: guests.example
    ntp: [10.0.0.123]
    routes: [{ destination: 10.2.0.0/16, gateway: 10.77.0.9 }]
  dhcpV4Options: lease_time=60,T1=6,T2=50
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: vm, namespace: guests }
spec:
  runStrategy: Always
  template:
    metadata: { labels: { role: guest } }
    spec:
      terminationGracePeriodSeconds: 1
      domain:
        memory: { guest: 192Mi }
        devices:
          disks: [{ name: data }, { name: seed }]
          filesystems: [{ name: share, virtiofs: {} }]
          interfaces: [{ name: default, binding: { name: tapestry } }]
      networks: [{ name: default, pod: {} }]
      volumes:
      - { name: data, emptyDisk: { capacity: 4Mi } }
      - { name: share, containerPath: { path: ${share} } }
      - name: seed
        cloudInitNoCloud: { userData: "#!/bin/sh\\nip route get 10.77.0.1 >/run/greeting\\n" }
`;

const denyAll = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny-all, namespace: guests }
spec: { podSelector: { matchLabels: { role: guest } }, policyTypes: [Ingress, Egress] }
`;
const noDisk = `apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: { name: no-disk, namespace: guests }
spec:
  runStrategy: Always
  template:
    spec:
      domain: { memory: { guest: 192Mi }, devices: { disks: [{ name: root }] } }
      volumes: [{ name: root, hostDisk: { path: /no/such.img, type: Disk } }]
`;

interface Lease {
	readonly spec: { readonly v4IpAddress: string; readonly v6IpAddress: string; readonly macAddress: string };
}
let lease: Lease['spec'];

beforeAll(async () => {
	await applyYaml(objects);
	await kube('wait', '-n', 'guests', '--for=condition=Ready', '--timeout=90s', 'vm/vm');
	// Waits for the guest.
	await guest('true');
	({ spec: lease } = await kubeJson<Lease>('get', 'ip', 'vm.guests'));
});
afterAll(async () => {
	await deleteYaml(objects);
	rmSync(share, { recursive: true });
});

async function guest(command: string): Promise<string> {
	const { stdout } = await inWorkload('guests', 'vm/vm', 'sh', '-c', command);
	return stdout;
}

/** What the client was told, by the event's name, as soon as it has come. Names are those of dhcpcd-run-hooks(8). */
async function told(event: string): Promise<Readonly<Record<string, string>>> {
	const text = await guest(`until [ -e /run/network/${event} ]; do sleep 0.2; done; cat /run/network/${event}`);
	return Object.fromEntries(text.split('\n').flatMap((line) => (line.includes('=') ? [line.split(/=(.*)/s).slice(0, 2)] : [])));
}

/** Whether one of `tries` pings is answered; it ends with the first that is. */
async function answers(address: string, tries = 10): Promise<boolean> {
	const command = `for i in $(seq ${tries}); do ping -c 1 -W 1 ${address} && exit 0; done; exit 1`;
	return (await inWorkload('guests', 'vm/vm', 'sh', '-c', command)).status === 0;
}
const showPort = () => tapestry(['show', 'port', '--name', sharedLab().id, '-n', 'guests', 'vm/vm']);

describe('a guest', () => {
	it('is told by DHCPv4 what the subnet says', async () => {
		expect(await told('BOUND')).toMatchObject({
			new_ip_address: lease.v4IpAddress,
			new_interface_mtu: '1400',
			new_domain_name_servers: '10.0.0.53 10.0.0.54',
			new_domain_name: 'guests.example',
			new_ntp_servers: '10.0.0.123',
			new_classless_static_routes: '10.2.0.0/16 10.77.0.9 0.0.0.0/0 10.77.0.1',
			new_dhcp_lease_time: '60',
			new_dhcp_renewal_time: '6',
			new_dhcp_rebinding_time: '50',
		});
	});

	it('is told by the router and by DHCPv6 the same, as far as these can', async () => {
		expect(await told('ROUTERADVERT')).toMatchObject({
			nd1_mtu: '1400',
			nd1_rdnss1_servers: 'fd00::53',
			nd1_dnssl1_search: 'guests.example',
			nd1_prefix_information1_prefix: 'fd00:77::',
		});
		expect(await told('BOUND6')).toMatchObject({
			new_dhcp6_ia_na1_ia_addr1: lease.v6IpAddress,
			new_dhcp6_name_servers: 'fd00::53',
			new_dhcp6_domain_search: 'guests.example',
		});
	});

	it('uses what it was told', async () => {
		expect(await guest('cat /sys/class/net/eth0/mtu')).toBe('1400\n');
		const routes = await guest('ip route; ip -6 route');
		expect(routes).toMatch(/^default via 10\.77\.0\.1 dev eth0/m);
		expect(routes).toMatch(/^10\.2\.0\.0\/16 via 10\.77\.0\.9 dev eth0/m);
		expect(routes).toMatch(/^default via fe80::\S+ dev eth0/m);
		expect((await guest('cat /etc/resolv.conf')).trim().split('\n').sort()).toEqual([
			'nameserver 10.0.0.53',
			'nameserver 10.0.0.54',
			'nameserver fd00::53',
			'search guests.example',
		]);
		expect(await answers('10.77.0.1')).toBe(true);
		expect(await answers('fd00:77::1')).toBe(true);
	});

	it('runs its user data, and has its disk and a directory of its node', async () => {
		expect(await guest('until [ -s /run/greeting ]; do sleep 0.2; done; cat /run/greeting')).toContain(`src ${lease.v4IpAddress}`);
		expect(await guest('mke2fs -F /dev/vda >/dev/null; mkdir -p /data; mount -t ext2 /dev/vda /data && df /data')).toContain('/dev/vda');
		expect(await guest('mkdir -p /share; mount -t virtiofs share /share; cat /share/from-node; echo hello node >/share/from-guest')).toBe(
			'hello guest\n',
		);
		expect(readFileSync(join(share, 'from-guest'), 'utf8')).toBe('hello node\n');
	});

	it('renews its lease when T1 comes, also when a policy denies everything', async () => {
		expect(await answers('10.77.0.1')).toBe(true);
		await applyYaml(denyAll);
		await guest('while ping -c 1 -W 1 10.77.0.1; do sleep 0.2; done');
		await guest('rm -f /run/network/RENEW');
		expect(await told('RENEW')).toMatchObject({ new_ip_address: lease.v4IpAddress, new_dhcp_lease_time: '60' });
		expect(await answers('10.77.0.1', 2)).toBe(false);
		await deleteYaml(denyAll);
		await guest('until ping -c 1 -W 1 10.77.0.1; do sleep 0.2; done');
	});

	it('may have its address written down instead', async () => {
		await guest('killall -KILL dhcpcd; ip addr flush dev eth0 scope global');
		expect(await answers('10.77.0.1', 2)).toBe(false);
		await guest(`ip addr add ${lease.v4IpAddress}/24 dev eth0; ip addr add ${lease.v6IpAddress}/112 dev eth0`);
		expect(await answers('10.77.0.1')).toBe(true);
		expect(await answers('fd00:77::1')).toBe(true);
		expect((await showPort()).status).toBe(0);
	});

	it('gets no packet through from an address that is not its own, and show port says so', async () => {
		await guest('ip addr flush dev eth0 scope global; ip addr add 10.77.0.99/24 dev eth0; ip addr add fd00:77::99/112 dev eth0');
		expect(await answers('10.77.0.1', 2)).toBe(false);
		expect(await answers('fd00:77::1', 2)).toBe(false);
		const { status, stdout } = await showPort();
		expect(status).toBe(1);
		const allowed = `${lease.v4IpAddress} and ${lease.v6IpAddress}`;
		expect(stdout).toContain(`guest has 10.77.0.99 and fd00:77::99, from which nothing passes: port security allows ${allowed} (fix: `);
	});
});

describe('a machine whose disk is missing', () => {
	it('says so itself', async () => {
		await applyYaml(noDisk);
		await kube('wait', '-n', 'guests', '--for=condition=Failure', '--timeout=60s', 'vm/no-disk');
		const { status } = await kubeJson<{ status: { conditions: readonly { type: string; message: string }[] } }>(
			'get',
			'vm',
			'-n',
			'guests',
			'no-disk',
		);
		expect(status.conditions.find(({ type }) => type === 'Failure')?.message).toMatch(/no file \/no\/such\.img.*\(fix: /);
		await deleteYaml(noDisk);
	});
});
