import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { hookDirectory, launcherModeVariable, runProgram, serveGrpc, systemClock } from '@tapestry/host';
import { networkInfoFile, readNetworkInfo } from '../network-info.ts';
import { hookMethods } from './service.ts';

await runProgram({
	name: 'hook-sidecar',
	options: {
		sockets: { type: 'string', default: hookDirectory },
		'network-info': { type: 'string', default: networkInfoFile },
		// For nodes whose Open vSwitch forwards in user space: there is no device then that completes what a guest leaves to it.
		'guest-checksums': { type: 'boolean', default: false },
	},
	async run({ options, log, stopped, ready }) {
		const { CONTAINER_NAME: container = randomBytes(4).toString('hex'), NETWORK_BINDING_PLUGIN_NAME: binding } = process.env;
		const over = Promise.withResolvers<void>();
		const networkInfo = () => readNetworkInfo(options['network-info']);
		const methods = hookMethods(
			{ networkInfo, onShutdown: () => over.resolve() },
			{
				...(binding === undefined ? {} : { binding }),
				isOnNode: process.env[launcherModeVariable] === 'tap',
				guestChecksums: options['guest-checksums'],
			},
		);
		// A launcher counts sockets by their names, over the directories of all sidecars.
		await using _server = await serveGrpc(
			{ log, clock: systemClock },
			{ socket: join(options.sockets, `${container}-tapestry.sock`), methods },
		);
		ready();
		await Promise.race([over.promise, stopped]);
	},
});
