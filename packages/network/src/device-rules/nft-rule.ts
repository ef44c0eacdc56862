import { parseIp } from '@tapestry/base';
import { matching, meta, type NftMatch } from '../nft-expressions.ts';

/** The conditions and verdicts of one rule. */
export type NftRule = readonly object[];

export const deviceTable = { family: 'netdev', name: 'tapestry' } as const;
export const inTable = { family: deviceTable.family, table: deviceTable.name } as const;

export type Verdict = Readonly<Record<string, unknown>>;
export const accept: Verdict = { accept: null };
export const drop: Verdict = { drop: null };
export const goto = (target: string): Verdict => ({ goto: { target } });
export const jump = (target: string): Verdict => ({ jump: { target } });

export const isFamily = (family: string): NftMatch => matching(meta('protocol'), family);
export const isProtocol = (protocol: unknown, op = '=='): NftMatch => matching(meta('l4proto'), protocol, op);

/** The target of a neighbour solicitation or advertisement (RFC 4861), for which nft has no name. */
export const neighbourTarget = { payload: { base: 'th', offset: 64, len: 128 } };
export const asNumber = (ip: string): string => `0x${(parseIp(ip)?.value ?? 0n).toString(16)}`;
