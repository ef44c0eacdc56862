import { until } from '../../../base/src/testing/until.ts';
import { findLink, openRoute } from '../link.ts';
import type { Link } from '../link-message.ts';
import { LinkMonitor } from '../link-monitor.ts';
import { Namespace } from '../namespace.ts';

/** Resolves when a device of a namespace is as wanted (`undefined` stands for its absence): now, or after an event. */
export async function untilLink(path: string, name: string, wanted: (link: Link | undefined) => boolean): Promise<void> {
	using namespace = Namespace.open(path);
	using route = openRoute(namespace);
	using monitor = new LinkMonitor();
	const find = (): Link | undefined => findLink(route, name);
	await until(
		() => `${name} in ${path}: ${wanted} of ${JSON.stringify(find())}`,
		(listener) => monitor.watch(namespace, listener),
		() => wanted(find()),
	);
}
