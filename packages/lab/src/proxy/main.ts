import { runProgram } from '@tapestry/host';
import { startRelay } from './relay.ts';
import { parseRoute } from './route.ts';

await runProgram({
	name: 'lab-proxy',
	options: { route: { type: 'string', multiple: true } },
	async run({ options, log, stopped, ready }) {
		const servers = await Promise.all((options.route ?? []).map((text) => startRelay({ log }, parseRoute(text))));
		ready();
		await stopped;
		for (const server of servers) server.close();
		process.exit();
	},
});
