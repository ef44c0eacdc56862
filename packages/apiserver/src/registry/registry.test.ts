import { describe, expect, it } from 'vitest';
import { compareVersions } from './registry.ts';

describe('compareVersions', () => {
	it('orders as Kubernetes documents it', () => {
		const versions = ['foo10', 'v1', 'v11alpha2', 'v10', 'v12alpha1', 'v3beta1', 'foo1', 'v2', 'v11beta2', 'v10beta3'];
		expect(versions.sort(compareVersions)).toEqual([
			'v10',
			'v2',
			'v1',
			'v11beta2',
			'v10beta3',
			'v3beta1',
			'v12alpha1',
			'v11alpha2',
			'foo1',
			'foo10',
		]);
	});
});
