export * from './evaluate.ts';
export * from './expression.ts';
export { parseMatch } from './parse.ts';
export { printMatch } from './print.ts';
export { macValue } from './tokens.ts';
