import { expect } from 'vitest';
import { inWorkload, kubeJson, type PodStatus } from './harness/lab.ts';
import { type Case, matrix } from './matrix/matrix.ts';
import { document, namespace, pod, vm } from './matrix/objects.ts';

const ns = 'policed';
const networkPolicy = (name: string, spec: object) =>
	document({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: ns }, spec });
const adminPolicy = (name: string, spec: object) =>
	document({ apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'AdminNetworkPolicy', metadata: { name }, spec });
const securityGroup = (name: string, spec: object) =>
	document({ apiVersion: 'kubeovn.io/v1', kind: 'SecurityGroup', metadata: { name }, spec });
const inGroup = (...names: string[]) => ({ 'ovn.kubernetes.io/security_groups': names.join(',') });

const denyAll = networkPolicy('deny', { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress', 'Egress'] });
const workloads = [
	namespace(ns, { team: 'policed' }),
	denyAll,
	pod('web', { namespace: ns, node: 'n1', labels: { app: 'web' }, ports: { main: 8080 } }),
	pod('friend', { namespace: ns, node: 'n1', labels: { app: 'friend' } }),
	pod('far', { namespace: ns, node: 'n2', labels: { app: 'friend' } }),
	pod('stranger', { namespace: ns, node: 'n2', labels: { app: 'stranger' } }),
	vm('machine', { namespace: ns, node: 'n2', labels: { app: 'web' } }),
];
const at = (name: string) => `pod/${ns}/${name}` as const;
const machine = `vm/${ns}/machine` as const;
const tcp = (from: Case['from'], to: Case['to'], expectation: Case['expect'], more: Partial<Case> = {}): Case => ({
	from,
	to,
	proto: 'tcp',
	expect: expectation,
	...more,
});

/** Open vSwitch's packages bring it. */
const python = '/usr/bin/python3';

/** Kernels without SCTP have no sockets for it: an INIT chunk (RFC 9260 section 3.3.2) is written and read as a raw packet. */
const sctpReceiver = `
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
s.settimeout(20)
seen = {int.from_bytes(s.recv(2048)[22:24], 'big')}
end = time.monotonic() + 1.5
while time.monotonic() < end:
    seen.add(int.from_bytes(s.recv(2048)[22:24], 'big'))
print(*sorted(seen))
`;
const sctpSender = `
import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
chunk = struct.pack('!BBHIIHHI', 1, 0, 20, 1, 65535, 1, 1, 1)
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8): crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
for _ in range(30):
    for port in map(int, sys.argv[2:]):
        head = struct.pack('!HHI', 40000, port, 0)
        s.sendto(head + struct.pack('<I', crc32c(head + bytes(4) + chunk)) + chunk, (sys.argv[1], 0))
    time.sleep(0.2)
`;

/** The machine boots and gets its addresses under a policy that lets nothing in or out. */
matrix('NetworkPolicy', {
	objects: workloads.join(''),
	cases: [
		tcp(at('friend'), at('web'), 'silent'),
		tcp(at('far'), at('web'), 'silent'),
		tcp(at('far'), machine, 'silent'),
		tcp(at('web'), at('friend'), 'silent'),
		{ from: at('web'), to: at('stranger'), proto: 'ping', expect: 'silent' },
		tcp(at('friend'), at('stranger'), 'passes'),
		// A node reaches its own pods, and no others.
		tcp('node/n1', at('web'), 'passes'),
		tcp('node/n2', machine, 'passes'),
		tcp('node/n2', at('web'), 'silent'),
	],
	steps: [
		{
			name: 'with peers by label, ports by number and by name',
			objects: networkPolicy('some', {
				podSelector: { matchLabels: { app: 'web' } },
				ingress: [
					{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }], ports: [{ port: 80, endPort: 90 }, { port: 'main' }] },
					{
						from: [{ namespaceSelector: { matchLabels: { team: 'policed' } }, podSelector: { matchLabels: { app: 'stranger' } } }],
						ports: [{ protocol: 'UDP', port: 5000 }],
					},
				],
				egress: [{ to: [{ podSelector: { matchLabels: { app: 'stranger' } } }], ports: [{ port: 8080 }] }],
			}),
			cases: [
				tcp(at('friend'), at('web'), 'passes'),
				tcp(at('far'), at('web'), 'passes'),
				tcp(at('far'), at('web'), 'passes', { port: 85 }),
				tcp(at('far'), at('web'), 'silent', { port: 91 }),
				tcp(at('friend'), machine, 'passes'),
				tcp(at('far'), machine, 'passes'),
				tcp(at('far'), machine, 'silent', { port: 7 }),
				tcp(at('stranger'), machine, 'silent'),
				{ from: at('stranger'), to: at('web'), proto: 'udp', port: 5000, expect: 'passes' },
				{ from: at('stranger'), to: at('web'), proto: 'udp', port: 5001, expect: 'silent' },
				tcp(at('stranger'), at('web'), 'silent'),
				tcp(at('web'), at('stranger'), 'passes'),
				tcp(at('web'), at('friend'), 'silent'),
			],
		},
		{
			name: 'with blocks and exceptions',
			objects: networkPolicy('blocks', {
				podSelector: { matchLabels: { app: 'web' } },
				policyTypes: ['Ingress', 'Egress'],
				ingress: [{ from: [{ ipBlock: { cidr: '10.16.0.0/16' } }, { ipBlock: { cidr: 'fd00:10:16::/64' } }] }],
				egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.16.0.0/16'] } }, { ipBlock: { cidr: 'fd00:10:16::/64' } }] }],
			}),
			cases: [
				tcp(at('stranger'), at('web'), 'passes'),
				tcp(at('web'), at('stranger'), 'silent', { families: ['IPv4'] }),
				tcp(at('web'), at('stranger'), 'passes', { families: ['IPv6'] }),
			],
		},
		{
			name: 'with SCTP',
			objects: networkPolicy('sctp', {
				podSelector: { matchLabels: { app: 'web' } },
				ingress: [{ ports: [{ protocol: 'SCTP', port: 3000 }] }],
			}),
			check: async () => {
				const { status } = await kubeJson<PodStatus>('get', 'pod', '-n', ns, 'web');
				const received = inWorkload(ns, 'pod/web', python, '-c', sctpReceiver);
				await inWorkload(ns, 'pod/far', python, '-c', sctpSender, status.podIP, '3000', '3001');
				expect((await received).stdout.trim()).toBe('3000');
			},
		},
		{
			name: 'changed in place',
			objects: networkPolicy('deny', { podSelector: { matchLabels: { app: 'friend' } }, policyTypes: ['Ingress'] }),
			keep: true,
			cases: [tcp(at('stranger'), at('web'), 'passes'), tcp(at('stranger'), at('friend'), 'silent'), tcp(at('web'), at('far'), 'silent')],
		},
	],
});

matrix('AdminNetworkPolicy', {
	objects: [
		namespace(ns, { team: 'policed' }),
		pod('web', { namespace: ns, node: 'n1', labels: { app: 'web' } }),
		pod('friend', { namespace: ns, node: 'n1', labels: { app: 'friend' } }),
		pod('stranger', { namespace: ns, node: 'n2', labels: { app: 'stranger' } }),
		networkPolicy('friends', {
			podSelector: { matchLabels: { app: 'web' } },
			ingress: [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }] }],
		}),
		adminPolicy('pass', {
			priority: 5,
			subject: { namespaces: { matchLabels: { team: 'policed' } } },
			ingress: [
				{ action: 'Pass', from: [{ namespaces: { matchLabels: { team: 'policed' } } }], ports: [{ portNumber: { port: 8080 } }] },
				{ action: 'Allow', from: [{ namespaces: {} }], ports: [{ portRange: { start: 9000, end: 9100 } }] },
				{ action: 'Deny', from: [{ namespaces: {} }] },
			],
			egress: [{ action: 'Deny', to: [{ nodes: { matchLabels: { 'kubernetes.io/hostname': 'n2' } } }] }],
		}),
	].join(''),
	cases: [
		tcp(at('friend'), at('web'), 'passes'),
		tcp(at('stranger'), at('web'), 'silent'),
		tcp(at('stranger'), at('web'), 'passes', { port: 9050 }),
		tcp(at('friend'), at('web'), 'silent', { port: 9200 }),
		// No NetworkPolicy is about it: Pass ends in what holds without any.
		tcp(at('web'), at('stranger'), 'passes'),
		{ from: at('friend'), to: at('stranger'), proto: 'ping', expect: 'silent' },
		{ from: at('web'), to: 'node/n2', proto: 'ping', expect: 'silent' },
		{ from: at('web'), to: 'node/n1', proto: 'ping', expect: 'passes' },
	],
	check: async () => {
		const { status } = await kubeJson<{ status: { conditions: { type: string; status: string }[] } }>('get', 'anp', 'pass');
		expect(status.conditions.map(({ type, status: is }) => `${type} ${is}`).sort()).toEqual([
			'Built True',
			'Ready True',
			'Selecting True',
			'Validated True',
		]);
	},
});

const rule = (ipVersion: string, more: object) => ({
	ipVersion,
	protocol: 'tcp',
	priority: 10,
	remoteType: 'address',
	policy: 'allow',
	...more,
});
const both = (more: object) => ['ipv4', 'ipv6'].map((ipVersion) => rule(ipVersion, more));

matrix('SecurityGroup', {
	objects: [
		namespace(ns),
		securityGroup('web', {
			ingressRules: [
				...both({ remoteType: 'securityGroup', remoteSecurityGroup: 'client', portRangeMin: 8080, portRangeMax: 8080 }),
				...both({ priority: 5, portRangeMin: 9000, portRangeMax: 9000, policy: 'drop' }),
				...both({ portRangeMin: 9000, portRangeMax: 9001 }),
			],
			allowSameGroupTraffic: true,
		}),
		securityGroup('client', { egressRules: both({ portRangeMin: 8080, portRangeMax: 9001 }) }),
		pod('web', { namespace: ns, node: 'n1', annotations: inGroup('web') }),
		pod('twin', { namespace: ns, node: 'n2', annotations: inGroup('web') }),
		pod('client', { namespace: ns, node: 'n1', annotations: inGroup('client') }),
		pod('stranger', { namespace: ns, node: 'n2' }),
		vm('machine', { namespace: ns, node: 'n2', annotations: inGroup('web') }),
	].join(''),
	cases: [
		tcp(at('client'), at('web'), 'passes'),
		tcp(at('stranger'), at('web'), 'silent'),
		tcp(at('stranger'), at('web'), 'passes', { port: 9001 }),
		tcp(at('stranger'), at('web'), 'silent', { port: 9000 }),
		tcp(at('client'), at('web'), 'silent', { port: 8081 }),
		{ from: at('twin'), to: at('web'), proto: 'ping', expect: 'passes' },
		tcp(at('twin'), machine, 'passes'),
		tcp(at('stranger'), machine, 'silent'),
		tcp(at('web'), at('stranger'), 'silent'),
		tcp('node/n1', at('web'), 'passes'),
	],
});
