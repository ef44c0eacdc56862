import { describe, expect, it } from 'vitest';
import { conform } from './json.ts';

const pod = (value: unknown, unknown: string[] = []): unknown => conform('core/v1.Pod', value, '', unknown);

describe('conform', () => {
	it('keeps what the type knows, names the rest and drops nulls', () => {
		const unknown: string[] = [];
		const spec = {
			containers: [{ name: 'main', image: 'x', odd: 1, command: null }],
			volumes: [{ name: 'v', emptyDir: {} }],
			terminationGracePeriodSeconds: 0,
		};
		expect(pod({ metadata: { name: 'a', labels: { x: 'y' } }, spec, extra: {} }, unknown)).toEqual({
			metadata: { name: 'a', labels: { x: 'y' } },
			spec: { containers: [{ name: 'main', image: 'x' }], volumes: [{ name: 'v', emptyDir: {} }], terminationGracePeriodSeconds: 0 },
		});
		expect(unknown).toEqual(['spec.containers[0].odd', 'extra']);
	});

	it('shares nothing with what it was given', () => {
		const given = { metadata: { labels: { x: 'y' } }, spec: { containers: [{ name: 'a' }] } };
		const out = pod(given) as typeof given;
		expect(out).toEqual(given);
		expect(out.metadata.labels).not.toBe(given.metadata.labels);
		expect(out.spec.containers[0]).not.toBe(given.spec.containers[0]);
	});

	it.each([
		[[], 'it must be an object, not []'],
		[{ spec: 'x' }, 'spec must be an object, not "x"'],
		[{ spec: { containers: {} } }, 'spec.containers must be a list, not {}'],
		[{ spec: { containers: ['x'] } }, 'spec.containers[0] must be an object, not "x"'],
		[{ spec: { nodeSelector: ['x'] } }, 'spec.nodeSelector must be a map, not ["x"]'],
		[{ spec: { nodeSelector: { a: 1 } } }, 'spec.nodeSelector[a] must be a string, not 1'],
		[{ spec: { hostNetwork: 'true' } }, 'spec.hostNetwork must be true or false, not "true"'],
		[{ spec: { terminationGracePeriodSeconds: 1.5 } }, 'spec.terminationGracePeriodSeconds must be an integer, not 1.5'],
		[{ metadata: { creationTimestamp: 'yesterday' } }, 'metadata.creationTimestamp must be a time (RFC 3339), not "yesterday"'],
		[
			{ spec: { containers: [{ resources: { limits: { cpu: 'much' } } }] } },
			'spec.containers[0].resources.limits[cpu] must be a quantity, not "much"',
		],
		[
			{ spec: { containers: [{ livenessProbe: { httpGet: { port: {} } } }] } },
			'livenessProbe.httpGet.port must be an integer or a string, not {}',
		],
	])('refuses %j', (value, message) => {
		expect(() => pod(value)).toThrow(message);
	});

	it.each(['1', '500m', '1.5Gi', '.5', '1e3', '-2k', '100M', 3])('takes %j for a quantity', (cpu) => {
		const value = { spec: { containers: [{ resources: { requests: { cpu } } }] } };
		expect(pod(value)).toEqual(value);
	});

	it('takes bytes in base64 only', () => {
		const secret = (text: string): unknown => conform('core/v1.Secret', { data: { a: text } }, '', []);
		for (const text of ['', 'YQ==', 'YWI=', 'YWJj', 'YWJjZA==']) expect(secret(text)).toEqual({ data: { a: text } });
		for (const text of ['Y', 'YQ', 'YQ=', 'a b=', 'YQ==YQ==']) expect(() => secret(text)).toThrow('must be base64');
	});

	it('lets objects inside others say what they are', () => {
		const unknown: string[] = [];
		const value = { spec: { volumeClaimTemplates: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'a' } }] } };
		expect(conform('apps/v1.StatefulSet', value, '', unknown)).toEqual(value);
		expect(unknown).toEqual([]);
	});
});
