import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Namespace } from '@tapestry/linux';

const program = new URL('probe-program.ts', import.meta.url);

export interface Probe {
	/** Stops sending; what arrived, by port, as sequence numbers, of how many that were sent to each. */
	stop(): Promise<{ readonly sent: number; readonly arrived: Readonly<Record<number, readonly number[]>> }>;
}

/** Sends a datagram a millisecond to each of the ports, from one namespace to another. */
export async function startProbe(from: string, to: string, address: string, ports: readonly number[]): Promise<Probe> {
	const receiver = thread(to, { role: 'receive', address, ports });
	for (const _ of ports) await once(receiver, 'message');
	const sender = thread(from, { role: 'send', address, ports });
	await once(sender, 'online');
	return {
		async stop() {
			sender.postMessage('stop');
			const [sent] = (await once(sender, 'message')) as [number];
			receiver.postMessage('report');
			const [arrived] = (await once(receiver, 'message')) as [Record<number, number[]>];
			await Promise.all([sender.terminate(), receiver.terminate()]);
			return { sent, arrived };
		},
	};
}

function thread(path: string, workerData: object): Worker {
	using namespace = Namespace.open(path);
	return namespace.run(() => new Worker(program, { workerData, execArgv: ['--disable-warning=ExperimentalWarning'] }));
}
