import { type Case, matrix } from './matrix/matrix.ts';
import { namespace, pod, vm } from './matrix/objects.ts';

/** The matrix itself, on the default VPC: who reaches whom where nothing forbids it. */
const here = { namespace: 'matrix' };
const everyone = ['pod/matrix/b', 'pod/matrix/c', 'vm/matrix/vm', 'node/n1', 'node/n2', 'outside'] as const;
const guest = ['pod/matrix/a', 'pod/matrix/c', 'node/n2', 'outside'] as const;

matrix('the default VPC', {
	objects: [
		namespace('matrix'),
		pod('a', { ...here, node: 'n1' }),
		pod('b', { ...here, node: 'n1' }),
		pod('c', { ...here, node: 'n2' }),
		vm('vm', { ...here, node: 'n2' }),
	].join(''),
	cases: [
		...everyone.flatMap((to): Case[] => [
			{ from: 'pod/matrix/a', to, proto: 'ping', expect: 'passes' },
			{ from: 'pod/matrix/a', to, proto: 'tcp', expect: 'passes' },
			...(to.startsWith('vm') ? [] : [{ from: 'pod/matrix/a', to, proto: 'udp', expect: 'passes' } as const]),
		]),
		...guest.flatMap((to): Case[] => [
			{ from: 'vm/matrix/vm', to, proto: 'ping', expect: 'passes' },
			{ from: 'vm/matrix/vm', to, proto: 'tcp', expect: 'passes' },
		]),
		{ from: 'pod/matrix/a', to: 'vm/matrix/vm', proto: 'tcp', port: 7, expect: 'passes' },
		// The outside sees the node's address, another pod the pod's own.
		{ from: 'pod/matrix/a', to: 'outside', proto: 'tcp', expect: 'passes', seen: { IPv4: '172.30.0.1', IPv6: 'fd00:172:30::1' } },
		{ from: 'pod/matrix/a', to: 'pod/matrix/c', proto: 'udp', expect: 'passes', by: ['pod/matrix/c'] },
		{ from: 'pod/matrix/a', to: { IPv4: '10.16.255.250', IPv6: 'fd00:10:16::fffa' }, proto: 'tcp', expect: 'silent' },
		{ from: 'pod/matrix/a', to: { IPv4: '172.30.0.254', IPv6: 'fd00:172:30::fe' }, proto: 'tcp', port: 9, expect: 'refused' },
	],
});
