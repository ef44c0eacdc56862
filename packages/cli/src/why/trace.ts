import { CodedError } from '@tapestry/base';
import { execute, type ProcessDeps } from '@tapestry/lab';
import { type Answer, agreesWithTrace, microflowOf } from '@tapestry/network';

/** What ovn-trace says of the same packet. */
export interface Traced {
	/** Its own words. */
	readonly text: string;
	/** Whether it sends the packet to where the answer does. */
	readonly agrees: boolean;
}

/** Asks ovn-trace(8) about the packet that an answer is about; `undefined` where there was none to send. @throws WHY_TRACE */
export async function traceAnswer(deps: ProcessDeps, southbound: string, answer: Answer, signal: AbortSignal): Promise<Traced | undefined> {
	if (!answer.sent) return undefined;
	const { datapath, flow, options } = microflowOf(answer.sent);
	const argv = ['ovn-trace', `--db=${southbound}`, '--minimal', ...options, datapath, flow];
	const { status, stdout, stderr } = await execute(deps, { argv, signal });
	if (status !== 0) throw new CodedError('WHY_TRACE', { what: 'ovn-trace could not follow the packet', why: stderr.trim() });
	return { text: stdout.trim(), agrees: agreesWithTrace(answer, stdout) };
}
