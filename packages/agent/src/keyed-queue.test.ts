import { describe, expect, it } from 'vitest';
import { KeyedQueue } from './keyed-queue.ts';

describe('KeyedQueue', () => {
	it('runs tasks of a key in order, also after a failure, and other keys meanwhile', async () => {
		const queue = new KeyedQueue();
		const order: string[] = [];
		const gate = Promise.withResolvers<void>();
		const first = queue.run('a', async () => {
			await gate.promise;
			order.push('a1');
			throw new Error('a1 failed');
		});
		const second = queue.run('a', async () => {
			order.push('a2');
			return 2;
		});
		await queue.run('b', async () => void order.push('b1'));
		expect(order).toEqual(['b1']);
		gate.resolve();
		await expect(first).rejects.toThrow('a1 failed');
		expect(await second).toBe(2);
		expect(order).toEqual(['b1', 'a1', 'a2']);
	});
});
