import { isCoded } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { createKubeClient, type Resource } from '@tapestry/kube';
import { customResourceDefinitions } from '@tapestry/network';
import type { LabLayout } from '../layout.ts';

const definitions: Resource = {
	group: 'apiextensions.k8s.io',
	version: 'v1',
	plural: 'customresourcedefinitions',
	kind: 'CustomResourceDefinition',
	namespaced: false,
};

/** A client with the lab's administrator rights. The caller closes it. */
export function labClient(layout: LabLayout) {
	return createKubeClient({ clock: systemClock, random: Math.random }, { kubeconfig: layout.kubeconfig });
}

/** Teaches the API server the kinds of Tapestry, Kube-OVN, KubeVirt and Multus. */
export async function installKinds(layout: LabLayout, signal: AbortSignal): Promise<void> {
	using client = labClient(layout);
	await Promise.all(
		customResourceDefinitions().map(async (definition) => {
			try {
				await client.create(definitions, definition, { signal });
			} catch (error) {
				if (!isCoded(error, 'KUBE_EXISTS')) throw error;
			}
		}),
	);
}
