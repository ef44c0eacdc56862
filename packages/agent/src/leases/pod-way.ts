import { CodedError } from '@tapestry/base';
import type { Pod } from '@tapestry/kube';
import { chooseKataAttachment, type KataAttachment } from '@tapestry/network';

/** How a pod is to be connected. Throws AGENT_MODE. */
export function podWay(pod: Pod): KataAttachment {
	const { value, problem } = chooseKataAttachment(
		pod.spec === undefined ? { metadata: pod.metadata } : { metadata: pod.metadata, spec: pod.spec },
	);
	if (!problem) return value;
	throw new CodedError('AGENT_MODE', {
		what: 'the pod cannot be connected',
		why: `${problem.what}: ${problem.why}`,
		fix: problem.fix,
	});
}
