import { randomBytes } from 'node:crypto';
import { createNamespace, deleteNamespace, Namespace } from '../namespace.ts';

export interface TestNamespace extends Disposable {
	readonly name: string;
	readonly path: string;
	readonly namespace: Namespace;
}

/** A fresh network namespace below /run/netns (so that `ip netns` and `ip -n` know it), deleted on disposal. */
export function testNamespace(label: string): TestNamespace {
	const name = `tpt-${label}-${randomBytes(3).toString('hex')}`;
	const path = `/run/netns/${name}`;
	createNamespace(path);
	const namespace = Namespace.open(path);
	return {
		name,
		path,
		namespace,
		[Symbol.dispose]() {
			namespace[Symbol.dispose]();
			deleteNamespace(path);
		},
	};
}
