import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { says } from './says.ts';

describe('says', () => {
	it('finds the text however it is cut', async () => {
		const output = new PassThrough().setEncoding('utf8');
		const said = says(output, 'now listening', new AbortController().signal);
		for (const part of ['bound\nno', 'w list', 'ening\n']) output.write(part);
		await said;
	});

	it('ends with its signal, before and while it waits', async () => {
		const abort = new AbortController();
		const waiting = says(new PassThrough(), 'x', abort.signal);
		abort.abort(new Error('enough'));
		await expect(waiting).rejects.toThrow('enough');
		await expect(says(new PassThrough(), 'x', abort.signal)).rejects.toThrow('enough');
	});
});
