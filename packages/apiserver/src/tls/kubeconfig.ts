import { stringify } from 'yaml';
import type { Credentials } from './credentials.ts';

/** A kubeconfig of the administrator. `address` is `host:port`, IPv6 in brackets. */
export function kubeconfigOf(credentials: Pick<Credentials, 'authority' | 'token'>, address: string): string {
	const name = 'embedded';
	return stringify({
		apiVersion: 'v1',
		kind: 'Config',
		clusters: [
			{
				name,
				cluster: { server: `https://${address}`, 'certificate-authority-data': Buffer.from(credentials.authority).toString('base64') },
			},
		],
		users: [{ name: 'admin', user: { token: credentials.token } }],
		contexts: [{ name, context: { cluster: name, user: 'admin' } }],
		'current-context': name,
	});
}
