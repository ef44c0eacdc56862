import { CodedError } from '@tapestry/base';

// Suffixes of k8s.io/apimachinery/pkg/api/resource.Quantity. Memory and processors need neither exponents nor anything below a thousandth.
const factors: Readonly<Record<string, number>> = {
	m: 1e-3,
	'': 1,
	k: 1e3,
	M: 1e6,
	G: 1e9,
	T: 1e12,
	Ki: 2 ** 10,
	Mi: 2 ** 20,
	Gi: 2 ** 30,
	Ti: 2 ** 40,
};

/** The number that a Kubernetes quantity such as `1.5Gi`, `64M` or `500m` stands for. @param field named in the error. @throws VM_QUANTITY */
export function parseQuantity(quantity: string | number, field: string): number {
	const [, digits, suffix] = /^(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti|)$/.exec(String(quantity)) ?? [];
	const factor = factors[suffix ?? ''];
	if (digits !== undefined && factor !== undefined) return Number(digits) * factor;
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
