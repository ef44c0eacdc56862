import type { LookupFunction } from 'node:net';
import { recordsAt, stringAt, stringsAt, valueAt } from '../objects.ts';
import type { Store } from '../storage/store.ts';
import type { ClientConfig } from './hook.ts';

/** Where a webhook is called. */
export interface Destination {
	/** As errors name it, and as its certificate is checked against. */
	readonly url: URL;
	/** What is dialled in the name's place. */
	readonly dial?: { readonly host: string; readonly port: number };
}

/** Throws Error in kube-apiserver's words when the Service leads nowhere. */
export function destinationOf(store: Store, { url, service }: ClientConfig): Destination {
	if (service === undefined) return { url: new URL(url ?? '') };
	const { name, namespace, path = '', port } = service;
	return { url: new URL(`https://${name}.${namespace}.svc:${port}${path}`), dial: resolve(store, namespace, name, port) };
}

/** A ready endpoint, for the Service's own address need not be reachable from where this server runs. */
function resolve(store: Store, namespace: string, name: string, port: number): { readonly host: string; readonly port: number } {
	const service = store.get('services', namespace, name);
	if (!service) throw new Error(`service "${name}" not found`);
	if (stringAt(service, 'spec.type') === 'ExternalName') return { host: stringAt(service, 'spec.externalName') ?? '', port };
	const servicePort = recordsAt(service, 'spec.ports').find((candidate) => candidate.port === port);
	if (!servicePort) throw new Error(`no service port ${port} found for service "${name}"`);
	const slices = [...store.scan('endpointslices.discovery.k8s.io', namespace)].filter(
		({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name,
	);
	for (const slice of slices) {
		const target = recordsAt(slice, 'ports').find((candidate) => (candidate.name ?? '') === (servicePort.name ?? ''))?.port;
		const ready = recordsAt(slice, 'endpoints').find((endpoint) => valueAt(endpoint, 'conditions.ready') !== false);
		const [host] = stringsAt(ready, 'addresses');
		if (host !== undefined && typeof target === 'number') return { host, port: target };
	}
	const address = stringAt(service, 'spec.clusterIP');
	if (slices.length > 0 || !address || address === 'None') throw new Error(`no endpoints available for service "${name}"`);
	return { host: address, port };
}

/** Resolves every name to the address that was found. */
export function lookupOf(host: string): LookupFunction {
	const family = host.includes(':') ? 6 : 4;
	return (_name, options, callback) => (options.all ? callback(null, [{ address: host, family }]) : callback(null, host, family));
}
