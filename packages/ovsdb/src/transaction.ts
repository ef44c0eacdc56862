import { CodedError, isCoded } from '@tapestry/base';
import type { Operation, OperationResult } from '@tapestry/network';

interface FailedOperation {
	readonly error: string;
	readonly details?: string;
}

/**
 * The results of a transaction's operations. Throws OVSDB_NOT_OWNER or OVSDB_TRANSACTION, with details `error`, `details` and `operation`: the
 * index of the operation, which is the number of operations when the commit itself failed (RFC 7047 section 4.1.3).
 */
export function checkResults(operations: readonly Operation[], reply: unknown): readonly OperationResult[] {
	const results = reply as readonly (OperationResult | FailedOperation | null)[];
	const index = results.findIndex((result) => result !== null && 'error' in result);
	if (index === -1) return results as readonly OperationResult[];
	const failed = results[index] as FailedOperation;
	const operation = operations[index];
	if (operation?.op === 'assert') {
		throw new CodedError(
			'OVSDB_NOT_OWNER',
			{ what: 'the transaction was not carried out', why: `this session does not hold the lock ${operation.lock}` },
			{ details: { ...failed, operation: index } },
		);
	}
	throw transactionError(failed, operation, index);
}

/** Turns the refusal of a whole transaction (no such database, canceled) into the error that a refused operation gives. */
export function refusedTransaction(error: unknown): unknown {
	if (!isCoded(error, 'OVSDB_REMOTE')) return error;
	return transactionError(error.details as unknown as FailedOperation, undefined, undefined);
}

function transactionError(failed: FailedOperation, operation: Operation | undefined, index: number | undefined): CodedError {
	const table = operation && 'table' in operation ? ` on table ${operation.table}` : '';
	return new CodedError(
		'OVSDB_TRANSACTION',
		{
			what: operation ? `the database refused operation ${index} (${operation.op}${table})` : 'the database refused the transaction',
			why: failed.details ? `${failed.error}: ${failed.details}` : failed.error,
		},
		{ details: { error: failed.error, details: failed.details, operation: index } },
	);
}
