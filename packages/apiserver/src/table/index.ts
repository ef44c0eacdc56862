export { toTable } from './table.ts';
export type { IncludeObject, PrinterColumn, Table, TableColumn, TableKind, TableRow } from './types.ts';
