import { formatIp, macFromBytes } from '@tapestry/base';
import type { Constant, Expression, FieldName, NumberConstant } from './expression.ts';

/** The expression as text that `parseMatch` reads back to the same expression. */
export function printMatch(expression: Expression): string {
	switch (expression.kind) {
		case 'constant':
			return expression.value ? '1' : '0';
		case 'flag':
			return printField(expression.field);
		case 'compare': {
			const { field, relation, constants } = expression;
			const [first] = constants;
			const right = first && constants.length === 1 ? printConstant(first) : `{${constants.map(printConstant).join(', ')}}`;
			return `${printField(field)} ${relation} ${right}`;
		}
		case 'resident':
			return `is_chassis_resident(${JSON.stringify(expression.port)})`;
		case 'not':
			return `!${expression.part.kind === 'flag' ? printMatch(expression.part) : `(${printMatch(expression.part)})`}`;
		default:
			return expression.parts.map(printPart).join(expression.kind === 'and' ? ' && ' : ' || ');
	}
}

function printPart(part: Expression): string {
	return part.kind === 'and' || part.kind === 'or' ? `(${printMatch(part)})` : printMatch(part);
}

function printField({ name, bits }: FieldName): string {
	if (!bits) return name;
	return bits.low === bits.high ? `${name}[${bits.low}]` : `${name}[${bits.low}..${bits.high}]`;
}

function printConstant(constant: Constant): string {
	switch (constant.kind) {
		case 'number':
			return constant.mask === undefined ? printNumber(constant) : `${printNumber(constant)}/${printMask(constant, constant.mask)}`;
		case 'string':
			return JSON.stringify(constant.value);
		case 'addressSet':
			return `$${constant.name}`;
		default:
			return `@${constant.name}`;
	}
}

function printNumber({ form, value }: Pick<NumberConstant, 'form' | 'value'>): string {
	switch (form) {
		case 'decimal':
			return String(value);
		case 'hexadecimal':
			return `0x${value.toString(16)}`;
		case 'mac':
			return macFromBytes(Uint8Array.from({ length: 6 }, (_, at) => Number((value >> BigInt(40 - 8 * at)) & 255n)));
		default:
			return formatIp({ family: form === 'ip4' ? 4 : 6, value });
	}
}

/** A prefix where the mask is one. */
function printMask({ form }: NumberConstant, mask: bigint): string {
	if (form !== 'ip4' && form !== 'ip6') return printNumber({ form, value: mask });
	const width = form === 'ip4' ? 32 : 128;
	const ones = mask.toString(2).replaceAll('0', '').length;
	const prefix = ((1n << BigInt(ones)) - 1n) << BigInt(width - ones);
	return prefix === mask ? String(ones) : printNumber({ form, value: mask });
}
