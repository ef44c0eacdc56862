import type { Taint, Toleration } from './builtin.ts';

/** Whether a pod with this toleration bears this taint. Source: Kubernetes API reference, v1.Toleration. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
	const { key = '', operator = 'Equal', value = '', effect } = toleration;
	if (effect && effect !== taint.effect) return false;
	if (key !== '' && key !== taint.key) return false;
	return operator === 'Exists' || (key !== '' && value === (taint.value ?? ''));
}
