import { type Clock, CodedError } from '@tapestry/base';

export interface Deadline extends Disposable {
	readonly signal: AbortSignal;
}

/** A signal that is aborted after `ms`, or with `signal`. Dispose of it when the work is done. */
export function deadline(clock: Clock, ms: number, signal?: AbortSignal): Deadline {
	const controller = new AbortController();
	const cancel = clock.after(ms, () => controller.abort(new CodedError('ABORTED', `not done within ${ms / 1000} s`)));
	return {
		signal: signal ? AbortSignal.any([controller.signal, signal]) : controller.signal,
		[Symbol.dispose]: cancel,
	};
}
