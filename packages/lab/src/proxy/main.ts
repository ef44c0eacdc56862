import { once } from 'node:events';
import { runProgram } from '@tapestry/host';
import { startRelay } from './relay.ts';
import { parseRoute } from './route.ts';

await runProgram({
	name: 'lab-proxy',
	options: { route: { type: 'string', multiple: true } },
	async run({ options, log, signal, ready }) {
		const servers = await Promise.all((options.route ?? []).map((text) => startRelay({ log }, parseRoute(text))));
		ready();
		if (!signal.aborted) await once(signal, 'abort');
		for (const server of servers) server.close();
		process.exit();
	},
});
