import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Planner } from '../../plan/planner.ts';
import { MemoryDatabase } from '../../plan/testing/memory-database.ts';
import { verify } from '../../plan/verify.ts';
import { readNetworkPolicy, readSecurityGroup } from '../../policy/index.ts';
import { nbSchema } from '../../schema/nb.generated.ts';
import { PolicySet } from '../../world/policy-set.ts';
import { Compiler, compileAll } from '../compiler.ts';
import { defaultWorld, lease, subnet } from '../testing/worlds.ts';

const app = fc.constantFrom('a', 'b');
const change = fc.oneof(
	fc.record({
		kind: fc.constant('pod' as const),
		name: app,
		app,
		http: fc.constantFrom(80, 81),
		groups: fc.subarray(['g', 'h']),
		there: fc.boolean(),
	}),
	fc.record({
		kind: fc.constant('policy' as const),
		name: app,
		app,
		from: fc.option(app),
		port: fc.constantFrom(80, 'http'),
		there: fc.boolean(),
	}),
	fc.record({
		kind: fc.constant('group' as const),
		name: fc.constantFrom('g', 'h'),
		remote: fc.constantFrom('g', 'h'),
		there: fc.boolean(),
	}),
	fc.record({ kind: fc.constant('subnet' as const), private: fc.boolean(), ordered: fc.boolean() }),
	fc.record({ kind: fc.constant('namespace' as const), team: fc.constantFrom('x', 'y') }),
);

it('leads to the same rows as compiling everything at once, whatever the order of changes', () => {
	fc.assert(
		fc.property(fc.array(change, { maxLength: 25 }), (changes) => {
			const world = defaultWorld(1);
			const set = new PolicySet(world);
			const compiler = new Compiler(world);
			const planner = new Planner(nbSchema);
			const database = new MemoryDatabase(nbSchema);
			let transactions = 0;
			const update = () => {
				for (const [owner, fragment] of compiler.update()) planner.want(owner, fragment);
				transactions = 0;
				while (planner.hasDirty) {
					const { operations } = planner.plan(planner.takeDirty());
					if (operations.length > 0) transactions++;
					planner.observe(database.transact(operations));
				}
			};
			update();
			for (const one of changes) {
				if (one.kind === 'pod') {
					const { name, app: label, http, groups, there } = one;
					const ports = [{ name: 'http', protocol: 'tcp', port: http }] as const;
					const facts = lease(name, {
						namespace: 'n',
						labels: { app: label },
						ports,
						securityGroups: groups,
						v4: `10.16.0.${name === 'a' ? 2 : 3}`,
					});
					world.set('IP', name, there ? facts : undefined);
				}
				if (one.kind === 'policy') {
					const from =
						one.from === null
							? [{ namespaceSelector: { matchLabels: { team: 'x' } } }]
							: [{ podSelector: { matchLabels: { app: one.from } } }];
					const spec = { podSelector: { matchLabels: { app: one.app } }, ingress: [{ from, ports: [{ port: one.port }] }] };
					const { reading } = readNetworkPolicy({ metadata: { name: one.name, namespace: 'n' }, spec });
					set.set('NetworkPolicy', `n/${one.name}`, one.there ? reading : undefined);
				}
				if (one.kind === 'group') {
					const rule = {
						protocol: 'all',
						priority: 1,
						remoteType: 'securityGroup',
						remoteSecurityGroup: one.remote,
						policy: 'allow',
					} as const;
					const { facts } = readSecurityGroup(
						{ metadata: { name: one.name }, spec: { ingressRules: [rule], allowSameGroupTraffic: true } },
						() => true,
					);
					world.set('SecurityGroup', one.name, one.there ? facts : undefined);
				}
				if (one.kind === 'subnet') {
					const acls = (['allow', 'drop'] as const).map((action) => ({
						path: action,
						direction: 'ingress' as const,
						match: 'tcp',
						action,
					}));
					world.set(
						'Subnet',
						'ovn-default',
						subnet('ovn-default', { acls: one.ordered ? acls : [], privateTo: one.private ? [] : undefined }),
					);
				}
				if (one.kind === 'namespace') world.set('Namespace', 'n', { name: 'n', labels: { team: one.team } });
				update();
				// A rule is never half changed.
				expect(transactions).toBeLessThanOrEqual(1);
			}
			expect(verify(nbSchema, compileAll(world), database.tables)).toEqual([]);
		}),
		{ numRuns: 150 },
	);
});
