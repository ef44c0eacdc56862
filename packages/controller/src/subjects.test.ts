import { type LeaseFacts, PolicySet, selectorKey, World } from '@tapestry/network';
import { expect, it } from 'vitest';
import { Subjects } from './subjects.ts';

const lease = (name: string, labels: Readonly<Record<string, string>>, securityGroups: readonly string[] = []): LeaseFacts =>
	({ name, namespace: 'n', ownerKind: 'Pod', labels, ports: [], securityGroups }) as unknown as LeaseFacts;

it('tells when a policy finds its first port, and when it has lost the last', () => {
	const world = new World();
	const set = new PolicySet(world);
	const told: string[] = [];
	using subjects = new Subjects(world, (owner) => told.push(owner));
	const owner = 'NetworkPolicy/n/p';
	const selector = { namespaces: 'n', pods: { matchLabels: { app: 'a' } } };
	const heard = () => [...told.splice(0), subjects.count(owner), subjects.count('SecurityGroup/g')];
	set.set('NetworkPolicy', 'n/p', {
		facts: { owner, subject: selectorKey(selector), isolates: [], rules: [], priority: 0 },
		selectors: [selector],
		portNames: [],
	});
	expect(heard()).toEqual([0, 0]);
	world.set('IP', 'x', lease('x', { app: 'b' }, ['g']));
	expect(heard()).toEqual(['SecurityGroup/g', 0, 1]);
	world.set('IP', 'x', lease('x', { app: 'a' }));
	expect(heard()).toEqual([owner, 'SecurityGroup/g', 1, 0]);
	world.set('IP', 'y', lease('y', { app: 'a' }));
	expect(heard()).toEqual([2, 0]);
	world.set('IP', 'x', undefined);
	expect(heard()).toEqual([1, 0]);
	world.set('IP', 'y', undefined);
	expect(heard()).toEqual([owner, 0, 0]);
});
