import { CodedError, isCoded } from '@tapestry/base';
import type { Operation } from '@tapestry/network';
import { describe, expect, it } from 'vitest';
import { checkResults, refusedTransaction } from './transaction.ts';

const operations: readonly Operation[] = [
	{ op: 'assert', lock: 'leader' },
	{ op: 'insert', table: 'ACL', row: {} },
	{ op: 'comment', comment: 'x' },
];

function failure(reply: unknown): CodedError {
	try {
		checkResults(operations, reply);
	} catch (error) {
		if (isCoded(error)) return error;
	}
	throw new Error('no CodedError was thrown');
}

describe('the results of a transaction', () => {
	it('are returned when no operation failed', () => {
		const results = [{}, { uuid: ['uuid', 'u'] }, {}];
		expect(checkResults(operations, results)).toEqual(results);
	});

	it('name the operation that failed', () => {
		const error = failure([{}, { error: 'constraint violation', details: 'no such action' }, null]);
		expect(error).toMatchObject({
			code: 'OVSDB_TRANSACTION',
			details: { error: 'constraint violation', details: 'no such action', operation: 1 },
		});
		expect(error.message).toContain('operation 1 (insert on table ACL): constraint violation: no such action');
	});

	it('have one more entry when the commit failed', () => {
		const error = failure([{}, {}, {}, { error: 'referential integrity violation' }]);
		expect(error).toMatchObject({ code: 'OVSDB_TRANSACTION', details: { error: 'referential integrity violation', operation: 3 } });
		expect(error.message).toBe('the database refused the transaction: referential integrity violation');
	});

	it('tell a lost lock apart', () => {
		expect(failure([{ error: 'not owner' }, null, null])).toMatchObject({ code: 'OVSDB_NOT_OWNER', details: { operation: 0 } });
	});
});

it('a refusal of the whole transaction is a transaction error; other errors stay what they are', () => {
	const refusal = new CodedError('OVSDB_REMOTE', 'refused', { details: { error: 'canceled', details: undefined } });
	expect(refusedTransaction(refusal)).toMatchObject({ code: 'OVSDB_TRANSACTION', details: { error: 'canceled' } });
	const other = new CodedError('OVSDB_DISCONNECTED', 'gone');
	expect(refusedTransaction(other)).toBe(other);
});
