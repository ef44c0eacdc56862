import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { CodedError, messageOf } from '@tapestry/base';
import { launcherModeVariable } from '@tapestry/host';
import { defineDomain } from '../define-domain.ts';
import { networkInfoFile, readNetworkInfo } from '../network-info.ts';

// KubeVirt's sidecar-shim starts the programs that it finds under the names of hook points: `onDefineDomain --vmi JSON --domain XML` and
// `preCloudInitIso --vmi JSON --cloud-init JSON`. The result goes to standard output.

try {
	process.stdout.write(await answer(basename(process.argv[2] ?? ''), process.argv.slice(3)));
} catch (error) {
	process.stderr.write(`${messageOf(error)}\n`);
	process.exitCode = 1;
}

async function answer(hook: string, args: readonly string[]): Promise<string> {
	const { values } = parseArgs({
		args: [...args],
		options: { vmi: { type: 'string' }, domain: { type: 'string' }, 'cloud-init': { type: 'string' } },
	});
	if (hook === 'preCloudInitIso') return required('cloud-init', values['cloud-init']);
	if (hook !== 'onDefineDomain') {
		throw new CodedError('USAGE', { what: `there is no hook "${hook}"`, fix: 'call it onDefineDomain or preCloudInitIso' });
	}
	const binding = process.env.NETWORK_BINDING_PLUGIN_NAME;
	const networkInfo = readNetworkInfo(networkInfoFile);
	const isOnNode = process.env[launcherModeVariable] === 'tap';
	const options = { isOnNode, ...(binding === undefined ? {} : { binding }), ...(networkInfo ? { networkInfo } : {}) };
	return defineDomain(required('vmi', values.vmi), required('domain', values.domain), options);
}

function required(flag: string, value: string | undefined): string {
	if (value !== undefined) return value;
	throw new CodedError('USAGE', { what: `--${flag} is missing`, fix: 'call it as sidecar-shim does' });
}
