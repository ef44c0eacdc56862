import { silentLogger } from '@tapestry/base';
import { systemClock } from '@tapestry/host';
import { createKubeClient, createReflector, type KubeConnection, type Pod, pods, type Reflector } from '@tapestry/kube';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changesOf, until } from '../../packages/base/src/testing/until.ts';
import { runControllerManager } from '../../packages/lab/src/controller-manager/controller-manager.ts';
import { manifest, withEachKubectl } from './kubectl-runner.ts';

const labels = { app: 'web' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'registry.example/web:1' }] } };
const workload = (kind: string, spec: object): string =>
	manifest({
		apiVersion: 'apps/v1',
		kind,
		metadata: { name: 'web' },
		spec: { replicas: 2, selector: { matchLabels: labels }, template, ...spec },
	});

withEachKubectl('workloads', (kubectl, kubeconfig) => {
	const abort = new AbortController();
	let client: KubeConnection;
	let ended: Promise<void>;
	let kubelet: Reflector<Pod>;

	beforeAll(async () => {
		const deps = { clock: systemClock, random: Math.random, log: silentLogger };
		client = createKubeClient(deps, { kubeconfig: kubeconfig() });
		const ready = Promise.withResolvers<void>();
		ended = runControllerManager({ ...deps, client }, abort.signal, ready.resolve);
		await ready.promise;
		kubelet = createReflector<Pod>({ ...deps, client }, { resource: pods });
		// Every pod runs at once, and ends at once.
		kubelet.onChange(({ after }) => {
			if (after?.metadata.deletionTimestamp) void client.remove(pods, after.metadata, { gracePeriodSeconds: 0 }).catch(() => {});
			else if (after && after.status?.phase !== 'Running')
				void client.replace<Pod>(pods, running(after), { subresource: 'status' }).catch(() => {});
		});
	});
	afterAll(async () => {
		abort.abort();
		await ended;
		await kubelet.close();
		client.close();
	});

	/** Looks after each change of a pod. */
	const eventually = (condition: () => boolean): Promise<true> =>
		until(() => `${condition} of ${JSON.stringify([...kubelet.objects])}`, changesOf(kubelet), condition);
	const images = () => [...kubelet.objects.values()].map(({ spec }) => spec?.containers[0]?.image);

	it('rolls a Deployment out, scales it, changes it and takes the change back', async () => {
		await kubectl.ok(['apply', '-f', '-'], workload('Deployment', {}));
		expect(await kubectl.ok(['rollout', 'status', 'deployment/web'])).toContain('successfully rolled out');
		expect(await kubectl.ok(['scale', 'deployment/web', '--replicas=4'])).toContain('deployment.apps/web scaled');
		await kubectl.ok(['rollout', 'status', 'deployment/web']);
		expect(await kubectl.ok(['get', 'deployment', 'web'])).toMatch(/web\s+4\/4\s+4\s+4/);
		await kubectl.ok(['set', 'image', 'deployment/web', 'web=registry.example/web:2']);
		await kubectl.ok(['rollout', 'status', 'deployment/web']);
		await eventually(() => images().every((image) => image === 'registry.example/web:2'));
		await kubectl.ok(['rollout', 'undo', 'deployment/web']);
		await kubectl.ok(['rollout', 'status', 'deployment/web']);
		await eventually(() => images().every((image) => image === 'registry.example/web:1'));
		expect(await kubectl.ok(['wait', 'deployment/web', '--for=condition=Available'])).toContain('condition met');
		const tooFew = await kubectl(['scale', 'deployment/web', '--replicas=2', '--current-replicas=9']);
		expect(tooFew.stderr).toMatch(/Expected replicas to be 9, was 4/i);
		await kubectl.ok(['delete', 'deployment', 'web']);
		await eventually(() => kubelet.objects.size === 0);
	});

	it('keeps the names of a StatefulSet when a pod goes, and shrinks it from the end', async () => {
		await kubectl.ok(['apply', '-f', '-'], workload('StatefulSet', { serviceName: 'web' }));
		await kubectl.ok(['rollout', 'status', 'statefulset/web']);
		const uid = ['get', 'pod', 'web-0', '-o', 'jsonpath={.metadata.uid}'];
		const before = await kubectl.ok(uid);
		await kubectl.ok(['delete', 'pod', 'web-0']);
		// The status may still be that of before it went.
		const first = () => kubelet.objects.get('default/web-0')?.metadata.uid;
		await eventually(() => first() !== undefined && first() !== before);
		await kubectl.ok(['rollout', 'status', 'statefulset/web']);
		expect(await kubectl.ok(uid)).toBe(first());
		await kubectl.ok(['scale', 'statefulset/web', '--replicas=1']);
		await eventually(() => !kubelet.objects.has('default/web-1'));
		expect(await kubectl.ok(['get', 'pods', '-o', 'name'])).toBe('pod/web-0\n');
		await kubectl.ok(['delete', 'statefulset', 'web']);
	});
});

function running(pod: Pod): Pod {
	const lastTransitionTime = '2026-01-01T00:00:00Z';
	return { ...pod, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }] } };
}
