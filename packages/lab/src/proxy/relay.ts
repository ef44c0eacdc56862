import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '@tapestry/base';
import { listenInNamespace } from '@tapestry/linux';
import type { Route } from './route.ts';

/** Listens on the route and passes bytes both ways until the server is closed. The bytes are TLS or OVSDB's; nothing is looked at. */
export async function startRelay(deps: { readonly log: Logger }, route: Route): Promise<Server> {
	const server = createServer({ allowHalfOpen: true }, (client) =>
		relay(client, connect({ path: route.target, allowHalfOpen: true }), deps.log),
	);
	const { listen } = route;
	if (listen.kind === 'unix') server.listen(listen.path);
	else server.listen({ fd: listenInNamespace(listen.netns, { address: listen.address, port: listen.port }) });
	await once(server, 'listening');
	return server;
}

function relay(client: Socket, target: Socket, log: Logger): void {
	for (const [from, to] of [
		[client, target],
		[target, client],
	] as const) {
		from.pipe(to);
		from.on('error', (error) => {
			log.debug('relay: connection broke', { error });
			to.destroy();
		});
		from.on('close', () => to.end());
	}
}
