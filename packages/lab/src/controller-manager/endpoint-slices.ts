import type { Signal } from '@tapestry/base';
import {
	createIndex,
	createReflector,
	createWorkQueue,
	type EndpointSlice,
	type KubeDeps,
	keyOf,
	type Pod,
	type Reflector,
	type Service,
	services as servicesResource,
	endpointSlices as slicesResource,
} from '@tapestry/kube';
import { isServed, selects } from './endpoints.ts';
import { decideSlices, sliceLabels, sliceManager } from './slices.ts';
import { unlessOutdated } from './unless-outdated.ts';

/** Services at work at once. */
const concurrency = 4;

/** Keeps the EndpointSlices of services with a selector, as Kubernetes' endpointslice-controller does. The garbage collector removes those of a service that is gone. */
export async function runEndpointSlices(
	deps: KubeDeps & { readonly pods: Reflector<Pod> },
	signal: Signal,
	onReady: () => void,
): Promise<void> {
	const { client, log, pods } = deps;
	await using services = createReflector<Service>(deps, { resource: servicesResource });
	await using slices = createReflector<EndpointSlice>(deps, {
		resource: slicesResource,
		labelSelector: `${sliceLabels.manager}=${sliceManager}`,
	});
	using servicesIn = createIndex(services, (service) => [service.metadata.namespace ?? '']);
	using podsIn = createIndex(pods, (pod) => [pod.metadata.namespace ?? '']);
	using slicesOf = createIndex(slices, (slice) => [serviceKey(slice)]);
	const queue = createWorkQueue(deps);

	services.onChange(({ key }) => queue.add(key));
	slices.onChange(({ before, after }) => {
		for (const slice of [before, after]) if (slice !== undefined) queue.add(serviceKey(slice));
	});
	const stop = pods.onChange(({ before, after }) => {
		const namespace = (after ?? before)?.metadata.namespace ?? '';
		for (const service of servicesIn.get(namespace)) {
			if ([before, after].some((pod) => pod !== undefined && selects(service, pod))) queue.add(keyOf(service));
		}
	});

	async function reconcile(key: string): Promise<void> {
		const service = services.objects.get(key);
		if (service === undefined || !isServed(service)) return;
		const { create, update, remove } = decideSlices(service, podsIn.get(service.metadata.namespace ?? ''), [...slicesOf.get(key)]);
		for (const slice of create) await unlessOutdated(client.create(slicesResource, slice));
		for (const slice of update) await unlessOutdated(client.replace(slicesResource, slice));
		for (const { metadata } of remove) {
			const { uid, resourceVersion } = metadata;
			const precondition = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
			await unlessOutdated(client.remove(slicesResource, metadata, precondition));
		}
		if (create.length + update.length + remove.length > 0) log.debug('endpoint slices written', { service: key });
	}

	await Promise.all([services, slices, pods].map((reflector) => reflector.synced(signal)));
	onReady();
	await queue.run(concurrency, reconcile, signal);
	stop();
}

const serviceKey = ({ metadata }: EndpointSlice): string => `${metadata.namespace}/${metadata.labels?.[sliceLabels.service]}`;
