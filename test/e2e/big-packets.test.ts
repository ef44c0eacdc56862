import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytes, digest, source } from '../../packages/agent/src/testing/stream.ts';
import { applyYaml, deleteYaml, inWorkload, kube, kubeJson, waitReady } from './harness/lab.ts';
import { settled } from './harness/settled.ts';
import { namespace, pod, vm } from './matrix/objects.ts';

/**
 * What users of VM networks trip over: ping works and a session does not, because a checksum was left to a NIC that is not there, or because a
 * full-sized frame does not fit the tunnel. So: streams compared by digest, full-sized frames that may not be split, and many small exchanges.
 */
const on = (node: string) => ({ namespace: 'big', node });
const objects = [namespace('big'), pod('near', on('n1')), vm('one', on('n1')), vm('two', on('n2'))].join('');

const mtu = 1442;
const address: Record<string, readonly string[]> = {};

beforeAll(async () => {
	await applyYaml(objects);
	await waitReady('big', 'vm/one', 'vm/two', 'pod/near');
	await settled();
	for (const name of ['one', 'two']) {
		const vmi = await kubeJson<{ status: { interfaces: { ipAddresses: string[] }[] } }>('get', 'vmi', '-n', 'big', name);
		address[name] = vmi.status.interfaces[0]?.ipAddresses ?? [];
		for (const ip of address[name] ?? []) {
			const { status } = await inWorkload('big', 'pod/near', 'ping', '-c', '1', '-i', '0.2', '-w', '90', ip);
			expect(status, `${name} answers at ${ip}`).toBe(0);
		}
	}
});
afterAll(() => deleteYaml(objects));

const families = [
	['IPv4', 0],
	['IPv6', 1],
] as const;

describe.each(families)('%s', (_family, i) => {
	it.each([
		['pod/near', 'one', 'same node'],
		['pod/near', 'two', 'other node'],
		['node/n1', 'one', 'same node'],
		['node/n3', 'two', 'other node'],
		['vm/one', 'two', 'other node'],
	])('%s sends %s a stream and gets it back whole (%s)', async (from, to) => {
		const nc = from.startsWith('vm/') ? 'nc' : 'busybox nc';
		const script = `${source} | ${nc} -w 10 ${address[to]?.[i]} 7 | head -c ${bytes} | md5sum`;
		const { stdout } = await inWorkload('big', from, 'sh', '-c', script);
		expect(stdout).toContain(digest);
	});

	it('full-sized frames cross the tunnel unsplit, and one byte more does not leave', async () => {
		const headers = i === 0 ? 28 : 48;
		const ping = (size: number) =>
			inWorkload('big', 'pod/near', 'ping', '-M', 'do', '-c', '2', '-W', '2', '-s', String(size), address.two?.[i] ?? '');
		expect((await ping(mtu - headers)).status).toBe(0);
		expect((await ping(mtu - headers + 1)).status).not.toBe(0);
	});

	it('an interactive session: two hundred small lines, each answered before the next', async () => {
		// One connection; a line is written only when the one before has come back.
		const script = [
			"import('node:net').then(async ({ connect }) => {",
			`  const s = connect(7, '${address.two?.[i]}'); let got = 0, pending = '';`,
			"  s.on('connect', () => s.write('line 0\\n'));",
			"  s.on('data', (d) => { pending += d; for (;;) { const n = pending.indexOf('\\n'); if (n < 0) return; ",
			"    if (pending.slice(0, n) !== 'line ' + got) process.exit(2); pending = pending.slice(n + 1); got++;",
			"    if (got === 200) process.exit(0); s.write('line ' + got + '\\n'); } });",
			"  s.on('error', () => process.exit(3)); setTimeout(() => process.exit(4), 60000);",
			'})',
		].join('\n');
		expect((await inWorkload('big', 'pod/near', process.execPath, '-e', script)).status).toBe(0);
	});
});

describe('the guest', () => {
	it('was told the MTU', async () => {
		const { stdout } = await inWorkload('big', 'vm/two', 'cat', '/sys/class/net/eth0/mtu');
		expect(stdout.trim()).toBe(String(mtu));
	});

	it('keeps its address when it is stopped and started', async () => {
		const before = address.one;
		await kube('patch', '-n', 'big', 'vm', 'one', '--type=merge', '-p', '{"spec":{"running":false}}');
		await kube('wait', '-n', 'big', '--for=delete', '--timeout=60s', 'vmi/one');
		await kube('patch', '-n', 'big', 'vm', 'one', '--type=merge', '-p', '{"spec":{"running":true}}');
		await waitReady('big', 'vm/one');
		const vmi = await kubeJson<{ status: { interfaces: { ipAddresses: string[] }[] } }>('get', 'vmi', '-n', 'big', 'one');
		expect(vmi.status.interfaces[0]?.ipAddresses).toEqual(before);
	});
});
