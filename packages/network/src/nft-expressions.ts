// The conditions of libnftables-json(5) that rules are made of, on the node and on its devices.

export type NftMatch = Readonly<Record<string, unknown>>;

export const meta = (key: string): object => ({ meta: { key } });
export const payload = (protocol: string, field: string): object => ({ payload: { protocol, field } });
export const matching = (left: object, right: unknown, op = '=='): NftMatch => ({ match: { op, left, right } });
