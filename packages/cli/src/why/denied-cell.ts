import { CodedError } from '@tapestry/base';
import { createKubeClient } from '@tapestry/kube';
import { captureInWorkload, findWorkload, type LabLayout } from '@tapestry/lab';
import { type Answer, formatAnswers, nameOf } from '@tapestry/network';
import type { CliContext } from '../context.ts';
import { askWhy } from './ask.ts';
import { northboundOf } from './places.ts';

const namespace = 'shop';
const [sender, receiver] = ['till', 'safe'] as const;

/**
 * What `npm start` shows below its matrix: a ping that stays silent, because examples/demo/shop.yaml orders so, and what `why` says of it.
 * @throws PROOF_FAILED when an answer comes, or `why` expects one
 */
export async function deniedCell(context: CliContext, layout: LabLayout): Promise<string> {
	using client = createKubeClient({ clock: context.clock, random: Math.random }, { kubeconfig: layout.kubeconfig });
	const pod = (name: string) => ({ kind: 'pod', namespace, name }) as const;
	const { addresses } = await findWorkload(client, pod(receiver));
	const answered = await Promise.all(
		addresses.map(async (address) => {
			const command = ['ping', ...(address.includes(':') ? ['-6'] : []), '-c', '1', '-W', '1', address];
			return (await captureInWorkload(context, layout, pod(sender), command, context.signal)).status === 0;
		}),
	);
	const request = { protocol: undefined, port: undefined, family: undefined, size: undefined, betweenNodes: undefined };
	const asked = { ...request, from: pod(sender), to: pod(receiver) };
	const answers = await askWhy({ client, northbound: northboundOf(layout) }, asked, context.signal);
	if (answered.some(Boolean) || answers.some(({ verdict }) => verdict === 'passes')) {
		throw new CodedError('PROOF_FAILED', {
			what: `pod/${sender} reaches pod/${receiver} in namespace ${namespace}, which NetworkPolicy deny forbids`,
			fix: 'look into the logs: npm run lab -- logs',
		});
	}
	const ask = `npm run tapestry -- why${layout.id === 'lab' ? '' : ` --name ${layout.id}`} -n ${namespace} pod/${sender} pod/${receiver}`;
	return `${sender} -> ${receiver}  ${red(context, cellOf(answers))}\n\n${ask}\n${formatAnswers(answers)}`;
}

function cellOf([answer]: readonly Answer[]): string {
	return answer?.object === undefined ? 'denied' : `denied, as ordered by ${nameOf(answer.object)}`;
}

function red({ isTerminal }: CliContext, text: string): string {
	return isTerminal ? `\u001b[31m${text}\u001b[0m` : text;
}
