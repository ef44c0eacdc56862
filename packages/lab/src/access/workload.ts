import { CodedError } from '@tapestry/base';

/** What `exec` and `console` are pointed at: `pod/NAME`, `vm/NAME`, `node/NAME`. */
export interface WorkloadName {
	readonly kind: 'pod' | 'vm' | 'node';
	readonly name: string;
}

/** @throws WORKLOAD_NAME */
export function parseWorkload(text: string): WorkloadName {
	const [, kind, name] = /^(pod|vm|node)\/([a-z0-9]([-a-z0-9.]*[a-z0-9])?)$/.exec(text) ?? [];
	if (kind && name) return { kind: kind as WorkloadName['kind'], name };
	throw new CodedError('WORKLOAD_NAME', { what: `"${text}" names no workload`, fix: 'write pod/NAME, vm/NAME or node/NAME' });
}

/** A workload and where it lives; a node's namespace means nothing. */
export interface Workload extends WorkloadName {
	readonly namespace: string;
}
