/** What became of a probe: an answer came; somebody said no (TCP reset, ICMP unreachable, no route); nothing came. */
export type Outcome = 'passes' | 'refused' | 'silent';
export type Protocol = 'ping' | 'tcp' | 'udp';

export interface Answer {
	readonly outcome: Outcome;
	/** Who answered, such as `pod/NAMESPACE/NAME`, where the answer tells. */
	readonly by?: string;
	/** The address under which the answering side saw the asking one. Only harness servers tell, not a pod's own page. */
	readonly seen?: string;
	/** The error's code, for messages. */
	readonly why?: string;
}

export interface ProbeRequest {
	readonly kind: 'probe';
	readonly protocol: Protocol;
	readonly address: string;
	readonly port: number;
	readonly milliseconds: number;
}

export interface ServeRequest {
	readonly kind: 'serve';
	readonly protocol: Protocol;
	readonly port: number;
	/** What its answers say of who they are from. */
	readonly by: string;
	/** Where to answer UDP; everywhere when absent. A host with several addresses answers from the nearest one, not from the one that was asked. */
	readonly addresses?: readonly string[];
}

/** Reads what a harness server, a pod's page or a guest's page says of itself; an echo says nothing. */
export function outcomeOfText(text: string): Answer {
	const own = /^\{.*\}$/m.exec(text);
	if (own) return { outcome: 'passes', ...(JSON.parse(own[0]) as { readonly by: string; readonly seen: string }) };
	const [, kind, name] = /^(pod|vm) (\S+)/m.exec(text) ?? [];
	return { outcome: 'passes', ...(kind ? { by: `${kind}/${name}` } : {}) };
}

/** Reads the output of iputils' or busybox' ping. */
export function outcomeOfPing(text: string): Answer {
	if (/ bytes from /.test(text)) return { outcome: 'passes' };
	const said = /unreachable|filtered|prohibited|Packet too big|Message too long/i.exec(text);
	return said ? { outcome: 'refused', why: said[0] } : { outcome: 'silent', why: 'no answer in time' };
}
