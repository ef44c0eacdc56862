import { deleteLink, findLink, findRedirection, openRoute, redirectIngress, setLink } from '@tapestry/linux';
import { modeMark } from '@tapestry/network';
import { missingTap, type NodeNeeds } from './node-needs.ts';
import { findSandbox, sandboxFaults } from './sandbox-side.ts';
import { shown } from './veth.ts';
import { makeTap, tapName } from './waiting-tap.ts';
import { configureInterface, deviceFaults, type Wiring } from './wiring.ts';

/**
 * Kata's tcfilter: what arrives at the sandbox's interface leaves by the tap and the other way round, before the stack sees it. The guest has the
 * interface's addresses and MAC. Source: Kata Containers, docs/design/architecture/networking.md.
 */
export function tcRedirectWiring({ needs }: { readonly needs: NodeNeeds }): Wiring {
	return {
		name: 'tcredirect',
		// Whatever comes for the addresses goes to the guest, so programs beside it cannot use them.
		servesSandbox: false,
		probe: async () => missingTap(needs),
		innerEnd: ({ ifname, port }) => ({ name: ifname, mac: port.mac }),
		async lay(side, attachment) {
			const { namespace, route } = side;
			const { ifname, netns, port } = attachment;
			configureInterface(side, attachment);
			setLink(route, ifname, { alias: modeMark({ mode: 'tcredirect' }) });
			const tap = makeTap(namespace, route, attachment);
			redirectIngress(route, ifname, tapName);
			redirectIngress(route, tapName, ifname);
			return [shown(attachment), { name: tapName, mac: tap?.mac ?? '', mtu: port.mtu, sandbox: netns }];
		},
		activate({ route }, { ifname }) {
			setLink(route, 'lo', { up: true });
			setLink(route, ifname, { up: true });
		},
		async strip({ namespace }) {
			await deleteLink(tapName, namespace);
		},
		faults: ({ netns, ifname, port }) => [
			...sandboxFaults(netns, ifname, port, { routes: false }),
			...deviceFaults(netns, { [tapName]: undefined }),
			...redirectionFaults(netns, ifname),
		],
		hops: ({ ifname }) => [tapName, ifname],
	};
}

function redirectionFaults(netns: string, ifname: string): readonly string[] {
	using namespace = findSandbox(netns);
	if (!namespace) return [];
	using route = openRoute(namespace);
	return [
		[ifname, tapName],
		[tapName, ifname],
	].flatMap(([from = '', to = '']) => {
		const target = findLink(route, to);
		return target && findRedirection(route, from) !== target.index ? [`what arrives at ${from} is not redirected to ${to}`] : [];
	});
}
