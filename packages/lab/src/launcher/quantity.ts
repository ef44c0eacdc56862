import { CodedError, readQuantity } from '@tapestry/base';

/** The number that a Kubernetes quantity such as `1.5Gi`, `64M` or `500m` stands for. @param field named in the error. @throws VM_QUANTITY */
export function parseQuantity(quantity: string | number, field: string): number {
	const number = readQuantity(String(quantity));
	if (number !== undefined) return number;
	throw new CodedError('VM_QUANTITY', {
		what: `${field} cannot be read`,
		why: `"${quantity}" is not a quantity`,
		fix: 'write for example 256Mi, 1Gi or 2',
	});
}

/** As `parseQuantity`, in whole units and more than nothing. @throws VM_QUANTITY */
export function parseAmount(quantity: string | number, field: string): number {
	const amount = Math.ceil(parseQuantity(quantity, field));
	if (amount > 0) return amount;
	throw new CodedError('VM_QUANTITY', { what: `${field} is of no use`, why: 'it is zero', fix: 'write for example 256Mi, 1Gi or 2' });
}
