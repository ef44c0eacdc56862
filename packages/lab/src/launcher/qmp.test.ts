import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { QmpConnection } from './qmp.ts';

/** QEMU's end: answers each command by what `answer` returns. */
function qemu(answer: (command: string) => object) {
	const stream: Duplex = new Duplex({
		read() {},
		write(chunk: Buffer, _, done) {
			const { execute, id } = JSON.parse(chunk.toString()) as { execute: string; id: number };
			stream.push(`${JSON.stringify({ id, ...answer(execute) })}\r\n`);
			done();
		},
	});
	stream.push('{"QMP": {"version": {}}}\r\n');
	return stream;
}

describe('QmpConnection', () => {
	it('takes commands after the greeting and passes on events', async () => {
		const events: string[] = [];
		const stream = qemu((command) => ({ return: { done: command } }));
		const qmp = await QmpConnection.open(stream, (event) => events.push(event));
		stream.push('{"event": "RESET"}\r\n{"event": "SHUT');
		stream.push('DOWN"}\r\n');
		expect(await qmp.execute('system_powerdown')).toEqual({ done: 'system_powerdown' });
		expect(events).toEqual(['RESET', 'SHUTDOWN']);
	});

	it("fails a refused command with QEMU's reason", async () => {
		const qmp = await QmpConnection.open(
			qemu((command) => (command === 'x' ? { error: { class: 'CommandNotFound', desc: 'no x' } } : { return: {} })),
			() => {},
		);
		await expect(qmp.execute('x')).rejects.toMatchObject({ code: 'QMP_ERROR', text: { why: 'no x' } });
	});

	it('tells when QEMU has ended, and fails what waits and what comes later', async () => {
		let silent = false;
		const stream = new Duplex({
			read() {},
			write(chunk: Buffer, _, done) {
				if (!silent) stream.push(`${JSON.stringify({ id: (JSON.parse(chunk.toString()) as { id: number }).id, return: {} })}\n`);
				done();
			},
		});
		stream.push('{"QMP": {}}\n');
		const qmp = await QmpConnection.open(stream, () => {});
		silent = true;
		const waiting = qmp.execute('stop');
		stream.destroy();
		await expect(waiting).rejects.toMatchObject({ code: 'QMP_CLOSED' });
		await qmp.closed;
		await expect(qmp.execute('stop')).rejects.toMatchObject({ code: 'QMP_CLOSED' });
	});
});
