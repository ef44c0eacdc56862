import { join } from 'node:path';
import { parseCidr, silentLogger } from '@tapestry/base';
import { openSources, type Sources } from '@tapestry/controller';
import { systemClock } from '@tapestry/host';
import { createKubeClient } from '@tapestry/kube';
import { agentPage, type LabNode, labNodes, podMtu, run, serviceCidr } from '@tapestry/lab';
import { nodePortName } from '@tapestry/network';
import { expect, vi } from 'vitest';
import { nodeNetwork } from '../../../packages/agent/src/node/node-network.ts';
import { nodeServices, reachOf } from '../../../packages/agent/src/node/node-services.ts';
import { nodeRuleset } from '../../../packages/agent/src/node/ruleset.ts';
import { transaction } from '../../../packages/agent/src/node/ruleset-change.ts';
import { deps, nbctl, sharedLab } from './lab.ts';
import { discrepancies } from './northbound.ts';

const nodes = labNodes(3);

/**
 * What the objects of now ask for is in force for packets, on every node: the Northbound database is what they compile to, every chassis has the flows
 * for it, its datapath follows them, and the node's own rules are those of the objects.
 */
export async function settled(): Promise<void> {
	expect(await discrepancies(), 'the Northbound database is what the objects compile to').toEqual([]);
	await nbctl('--timeout=60', '--wait=hv', 'sync');
	await Promise.all([datapathsFollow(), nodeRulesFollow()]);
}

/**
 * A chassis has its flows when the tables of ovs-vswitchd have them; what the datapath keeps of what they said before is looked through afterwards, in
 * rounds. The first that ends may have begun before the tables changed; when its end is told, rounds know of the change, but another may be under way that
 * does not yet; the third does.
 */
export async function datapathsFollow(): Promise<void> {
	await Promise.all(
		nodes.map(async ({ name }) => {
			const vswitchd = join(sharedLab().node(name).ovsDir, 'ovs-vswitchd.ctl');
			for (let rounds = 0; rounds < 3; rounds++) await run(deps, ['ovs-appctl', '-t', vswitchd, 'revalidator/wait']);
		}),
	);
}

/** Translation by the nodes themselves, which their agents learn of by watches of their own. */
async function nodeRulesFollow(): Promise<void> {
	const io = { clock: systemClock, random: Math.random, log: silentLogger };
	using client = createKubeClient(io, { kubeconfig: sharedLab().kubeconfig });
	await using sources = openSources({ ...io, client });
	const signal = AbortSignal.timeout(60_000);
	await sources.synced(signal);
	for (const node of nodes) {
		const follows = async () =>
			expect(commandsOf(await agentPage(sharedLab(), node.name, '/rules', signal)), `the rules of ${node.name}`).toEqual(
				commandsOf(rulesOf(node, sources)),
			);
		await vi.waitFor(follows, { timeout: 20_000, interval: 100 });
	}
}

function rulesOf({ name }: LabNode, { ips, subnets, services, endpointSlices }: Sources): string {
	const lease = ips.objects.get(nodePortName(name));
	const serviceCidrs = serviceCidr.split(',').flatMap((text) => parseCidr(text) ?? []);
	const network = lease && nodeNetwork(lease, subnets.objects.values(), { mtu: podMtu, serviceCidrs });
	if (!network) throw new Error(`node ${name} has no lease or no join network`);
	const where = { node: name, reach: reachOf(subnets.objects.values()) };
	return (
		transaction(undefined, nodeRuleset(network, nodeServices(services.objects.values(), endpointSlices.objects.values(), where))) ?? ''
	);
}

/** The rules' order among subnets is that in which an agent saw these. */
function commandsOf(text: string): readonly string[] {
	return (JSON.parse(text) as { nftables: object[] }).nftables.map((command) => JSON.stringify(command)).sort();
}
