import { expect, it } from 'vitest';
import { builtinKinds } from '../registry/builtin.ts';
import { Registry } from '../registry/registry.ts';
import { parseResourcePath } from './path.ts';

const registry = new Registry(builtinKinds);

it.each([
	['/api/v1/pods', 'pods * - -'],
	['/api/v1/namespaces', 'namespaces "" - -'],
	['/api/v1/namespaces/a', 'namespaces "" a -'],
	['/api/v1/namespaces/a/', 'namespaces "" a -'],
	['/api/v1/namespaces/a/status', 'namespaces "" a status'],
	['/api/v1/namespaces/a/finalize', 'namespaces "" a finalize'],
	['/api/v1/namespaces/a/pods', 'pods "a" - -'],
	['/api/v1/namespaces/a/pods/b/exec', 'pods "a" b exec'],
	['/apis/apps/v1/namespaces/a/deployments/b', 'deployments "a" b -'],
	['/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aadmin', 'clusterroles "" system:admin -'],
])('%s', (path, expected) => {
	const { endpoint, namespace, name, subresource } = parseResourcePath(path, registry);
	expect(`${endpoint.kind.plural} ${namespace === undefined ? '*' : JSON.stringify(namespace)} ${name ?? '-'} ${subresource ?? '-'}`).toBe(
		expected,
	);
});

it.each(['/', '/api/v1/unicorns', '/api/v1/pods/a', '/apis/apps/v1/pods', '/api/v1/nodes/a/b/c', '/api/v1/nodes/%ff'])(
	'%s leads nowhere',
	(path) => {
		expect(() => parseResourcePath(path, registry)).toThrow(expect.objectContaining({ reason: 'NotFound' }));
	},
);
