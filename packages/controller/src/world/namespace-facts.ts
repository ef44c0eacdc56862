import type { Namespace } from '@tapestry/kube';
import type { NamespaceFacts } from '@tapestry/network';

export function namespaceFacts({ metadata }: Namespace): NamespaceFacts {
	return { name: metadata.name, labels: metadata.labels ?? {} };
}
