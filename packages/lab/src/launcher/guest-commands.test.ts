import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuestCommands } from './guest-commands.ts';

/** The guest's end of the line: what was sent to it, and a way to answer in chunks. */
function line() {
	const sent: string[] = [];
	const arrivals: (() => void)[] = [];
	const stream = new Duplex({
		read() {},
		write(chunk: Buffer, _, done) {
			sent.push(chunk.toString());
			for (const arrived of arrivals.splice(0)) arrived();
			done();
		},
	});
	return {
		stream,
		sent,
		say: (text: string) => stream.push(text),
		/** Resolves when `count` writes have come. */
		async received(count: number) {
			while (sent.length < count) await new Promise<void>((resolve) => arrivals.push(resolve));
		},
	};
}

const never = new AbortController().signal;

function collect() {
	const chunks: Uint8Array[] = [];
	return { output: (chunk: Uint8Array) => void chunks.push(Uint8Array.from(chunk)), text: () => Buffer.concat(chunks).toString() };
}

describe('GuestCommands', () => {
	it('waits for the guest, then passes on output and status', async () => {
		const { stream, sent, say, received } = line();
		const commands = new GuestCommands(stream);
		const { output, text } = collect();
		const result = commands.run('ls', output, never);
		await Promise.resolve();
		expect(sent).toEqual([]);
		say('READY\n');
		await received(1);
		expect(sent).toEqual(['t1 ls\n']);
		say('t1 BEGIN\na\nb\n\nt1 RC=3\n');
		expect(await result).toBe(3);
		expect(text()).toBe('a\nb\n');
	});

	it('finds the marker however the line cuts what it carries', async () => {
		const parts = fc.array(fc.constantFrom('\n', 't1', 't1 RC=', ' RC=0', 'x', '\nt1', 't1 BEGIN\n'), { maxLength: 12 });
		await fc.assert(
			fc.asyncProperty(parts, fc.array(fc.nat({ max: 8 }), { minLength: 1 }), async (pieces, cuts) => {
				const content = pieces.join('').replaceAll('\nt1 RC=', '\nt1-RC=');
				const { stream, say, received } = line();
				const commands = new GuestCommands(stream);
				const { output, text } = collect();
				const result = commands.run('x', output, never);
				say('READY\n');
				await received(1);
				let rest = `t1 BEGIN\n${content}\nt1 RC=7\n`;
				for (let index = 0; rest !== ''; index++) {
					const length = (cuts[index % cuts.length] ?? 0) + 1;
					say(rest.slice(0, length));
					rest = rest.slice(length);
				}
				expect(await result).toBe(7);
				expect(text()).toBe(content);
			}),
			{ numRuns: 200 },
		);
	});

	it('runs one command at a time', async () => {
		const { stream, sent, say, received } = line();
		const commands = new GuestCommands(stream);
		const [first, second] = [commands.run('one', () => {}, never), commands.run('two', () => {}, never)];
		say('READY\n');
		await received(1);
		expect(sent).toEqual(['t1 one\n']);
		say('t1 BEGIN\n\nt1 RC=0\n');
		await first;
		await received(2);
		expect(sent[1]).toBe('t2 two\n');
		say('t2 BEGIN\n\nt2 RC=0\n');
		expect(await second).toBe(0);
	});

	it('interrupts an aborted command and keeps its rest from the next one', async () => {
		const { stream, sent, say, received } = line();
		const commands = new GuestCommands(stream);
		const abort = new AbortController();
		const first = commands.run('sleep 100', () => {}, abort.signal);
		say('READY\n');
		await received(1);
		abort.abort(new Error('enough'));
		await expect(first).rejects.toThrow('enough');
		expect(sent[1]).toBe('\x03');
		const { output, text } = collect();
		const second = commands.run('ls', output, never);
		await received(3);
		say('late\n\nt1 RC=130\nt2 BEGIN\nnew\nt2 RC=0\n');
		expect(await second).toBe(0);
		expect(text()).toBe('new');
	});

	it('fails a command whose guest restarts, and serves again after that', async () => {
		const { stream, say, received } = line();
		const commands = new GuestCommands(stream);
		const first = commands.run('reboot', () => {}, never);
		say('READY\n');
		await received(1);
		commands.reset();
		await expect(first).rejects.toMatchObject({ code: 'GUEST_COMMAND' });
		const second = commands.run('ls', () => {}, never);
		say('READY\n');
		await received(2);
		say('t2 BEGIN\n\nt2 RC=0\n');
		expect(await second).toBe(0);
	});

	it('fails what waits when the machine stops, and what comes later', async () => {
		const { stream } = line();
		const commands = new GuestCommands(stream);
		const waiting = commands.run('ls', () => {}, never);
		stream.destroy();
		await expect(waiting).rejects.toMatchObject({ code: 'GUEST_COMMAND' });
		await expect(commands.run('ls', () => {}, never)).rejects.toMatchObject({ code: 'GUEST_COMMAND' });
	});
});
