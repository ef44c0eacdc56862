import { type Clock, CodedError, isCoded, type Logger, type Signal } from '@tapestry/base';
import { createMacvtap, deleteLink, findLink, openRoute, setLink } from '@tapestry/linux';
import { type DevicePlace, deviceRuleset, deviceRulesetChange, deviceTable, type PortRules } from '@tapestry/network';
import { KeyedQueue } from '../keyed-queue.ts';
import { Settler } from '../settler.ts';
import { waitFor } from '../wait-for.ts';
import { addressServerFaults, devicePlace, hasAddressServer, layAddressServer, removeAddressServer } from './address-server.ts';
import { type Attachment, type AttachmentMode, type AttachmentState, attachmentKey, type SandboxInterface } from './attachment.ts';
import type { DeviceRulesSource } from './device-rules.ts';
import { receiving } from './macvtap-device.ts';
import { missingProgram } from './node-needs.ts';
import { type NodeNicDeps, nicFaults } from './node-nic.ts';
import { makePlaceholder, removePlaceholder } from './placeholder.ts';
import { type LoadSandboxRules, tableRemoval } from './sandbox-rules.ts';
import { findSandbox, openSandbox, sandboxFaults } from './sandbox-side.ts';
import { shown } from './veth.ts';
import { tapName } from './waiting-tap.ts';
import { deviceFaults, podBridge, silence, withSide } from './wiring.ts';

export interface MacvtapNicDeps extends NodeNicDeps {
	readonly clock: Pick<Clock, 'after'>;
	readonly log: Logger;
	readonly loadRules: LoadSandboxRules;
	readonly rules: DeviceRulesSource;
}

type Parts = Omit<AttachmentMode, 'name' | 'servesSandbox'>;

/**
 * A macvtap on a NIC of the node, past the switch: the machine is a host of the network that the NIC is in. What the switch would do is done at the device
 * as far as nftables can: the port's rules, and the guest's addresses, which a server in the sandbox gives. Without rules nothing passes.
 */
export class MacvtapNic implements Parts {
	readonly #deps: MacvtapNicDeps;
	readonly #attached = new Map<string, { readonly attachment: Attachment; loaded: PortRules | undefined }>();
	/** Changes of rules do not meet the end of their attachment. */
	readonly #queue = new KeyedQueue();
	readonly #settler: Settler;
	readonly #unwatch: () => void;

	constructor(deps: MacvtapNicDeps) {
		this.#deps = deps;
		this.#settler = new Settler(
			deps,
			() => this.#settle(),
			(error) => deps.log.error('cannot bring the rules of a macvtap up to date', { error }),
		);
		this.#unwatch = deps.rules.onChange(() => {
			if (this.#attached.size > 0) void this.#settler.look();
		});
	}

	async probe(attachment?: Attachment): Promise<readonly string[]> {
		const { needs } = this.#deps;
		const missing = missingProgram(needs, 'nft', 'nftables');
		return attachment?.parent === undefined ? missing : [...missing, ...nicFaults(this.#deps, attachment.parent, attachment.port)];
	}

	async prepare(attachment: Attachment): Promise<readonly SandboxInterface[]> {
		const { host, loadRules } = this.#deps;
		const { ifname, netns, parent = '', port } = attachment;
		const place = devicePlace(ifname);
		using namespace = openSandbox(netns);
		await withSide(namespace, async (side) => {
			setLink(side.route, 'lo', { up: true });
			createMacvtap(host.route, { name: tapName, mac: port.mac, mtu: port.mtu, on: parent, namespace });
			silence(namespace, tapName);
			layAddressServer(side, attachment);
			// Before the device is up.
			await loadRules(netns, deviceRuleset(undefined, place));
			const gateways = port.addresses.flatMap(({ gateway }) => gateway ?? []);
			makePlaceholder(side, { mode: 'macvtap', server: place.server.device, gateways }, attachment);
		});
		return [shown(attachment), { name: tapName, mac: port.mac, mtu: port.mtu, sandbox: netns }];
	}

	async connect(attachment: Attachment, signal: Signal): Promise<void> {
		const { rules, loadRules } = this.#deps;
		const { ifname, netns, parent, port } = attachment;
		const wanted = await waitFor(
			(listener) => rules.onChange(listener),
			() => rules.rulesOf(port.name),
			signal,
			() => noRules(port.name, signal),
		);
		await loadRules(netns, deviceRulesetChange(wanted, devicePlace(ifname)));
		this.#attached.set(attachmentKey(attachment), { attachment, loaded: wanted });
		using namespace = openSandbox(netns);
		await withSide(namespace, ({ route }) => {
			try {
				setLink(route, tapName, receiving);
			} catch (cause) {
				if (!isCoded(cause, 'LINUX_EADDRINUSE')) throw cause;
				throw new CodedError(
					'AGENT_MAC_TAKEN',
					{ what: `${tapName} cannot be set up`, why: `${port.mac} is in use on ${parent} already` },
					{ cause },
				);
			}
		});
		// They may have changed meanwhile.
		void this.#settler.look();
	}

	/** The kernel has kept device and rules; what changed while no agent ran is made good. */
	async resume(attachment: Attachment): Promise<void> {
		this.#attached.set(attachmentKey(attachment), { attachment, loaded: undefined });
		await this.#settler.look();
	}

	async disconnect(target: Pick<Attachment, 'containerId' | 'ifname' | 'netns'>): Promise<void> {
		const key = attachmentKey(target);
		this.#attached.delete(key);
		await this.#queue.run(key, () => this.#remove(target));
	}

	async #remove({ ifname, netns }: Pick<Attachment, 'ifname' | 'netns'>): Promise<void> {
		using namespace = findSandbox(netns);
		if (!namespace) return;
		await withSide(namespace, async (side) => {
			if (!hasAddressServer(side, ifname)) return;
			// A chain stays in the kernel when its device goes.
			await this.#deps.loadRules(netns, tableRemoval(deviceTable));
			if (findLink(side.route, tapName)?.kind === 'macvtap') await deleteLink(tapName, namespace);
			await removePlaceholder(side, ifname);
			await removeAddressServer(side, ifname);
		});
	}

	describe(attachment: Attachment): AttachmentState {
		const { ifname, netns, parent = '', port } = attachment;
		const entry = this.#attached.get(attachmentKey(attachment));
		const wanted = this.#deps.rules.rulesOf(port.name);
		const isCurrent = entry?.loaded !== undefined && (wanted === undefined || wanted === entry.loaded);
		const faults = [
			...this.#sandboxFaults(attachment),
			...sandboxFaults(netns, ifname, port, { routes: false }),
			...deviceFaults(netns, { [tapName]: undefined, [podBridge(ifname)]: undefined }),
			...nicFaults(this.#deps, parent, port),
			...(isCurrent ? [] : [`the rules of port ${port.name} are not those of ${tapName}`]),
		];
		return { path: [tapName, parent], connected: entry?.loaded !== undefined, faults };
	}

	/** Stops following the rules; what is attached stays. */
	async close(): Promise<void> {
		this.#unwatch();
		await this.#settler.stop();
	}

	#sandboxFaults({ ifname, netns }: Attachment): readonly string[] {
		using namespace = findSandbox(netns);
		if (!namespace) return [];
		using route = openRoute(namespace);
		return addressServerFaults({ namespace, route }, ifname);
	}

	async #settle(): Promise<void> {
		const all = await Promise.allSettled([...this.#attached.keys()].map((key) => this.#queue.run(key, () => this.#bringUpToDate(key))));
		const failed = all.filter((result) => result.status === 'rejected').map(({ reason }): unknown => reason);
		if (failed.length > 0) throw failed[0];
	}

	async #bringUpToDate(key: string): Promise<void> {
		const entry = this.#attached.get(key);
		if (!entry) return;
		const { attachment, loaded } = entry;
		const { ifname, netns, pod, port } = attachment;
		const wanted = this.#deps.rules.rulesOf(port.name);
		if (wanted === undefined || wanted === loaded || !isThere(netns)) return;
		await this.#load(netns, wanted, devicePlace(ifname));
		entry.loaded = wanted;
		this.#deps.log.info('rules changed', { pod, port: port.name, acls: wanted.acls.length });
	}

	/** Somebody may have flushed the sandbox's rules: then there is nothing to change. */
	async #load(netns: string, rules: PortRules, place: DevicePlace): Promise<void> {
		const { loadRules, log } = this.#deps;
		try {
			await loadRules(netns, deviceRulesetChange(rules, place));
		} catch (error) {
			if (!isCoded(error, 'AGENT_NFT')) throw error;
			log.warn('the rules of a macvtap are made anew', { netns, error });
			await loadRules(netns, deviceRuleset(rules, place));
		}
	}
}

/** A runtime may have taken the namespace away before DEL. */
function isThere(netns: string): boolean {
	using namespace = findSandbox(netns);
	return namespace !== undefined;
}

const noRules = (port: string, signal: Signal): CodedError =>
	new CodedError(
		'AGENT_NO_RULES',
		{
			what: `port ${port} cannot be connected past the switch`,
			why: 'the controller has not said its rules, and without them nothing may pass',
			fix: `kubectl get ip ${port} -o yaml, and see the log of the controller`,
		},
		{ cause: signal.reason },
	);
