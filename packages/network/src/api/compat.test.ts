import type { KubeObject, Resource as KubeResource } from '@tapestry/kube';
import { expectTypeOf, it } from 'vitest';
import type { Resource } from './object.ts';
import type { Subnet } from './subnet.ts';

it('has the shapes of the Kubernetes client, which this package may not import', () => {
	expectTypeOf<Subnet>().toExtend<KubeObject>();
	expectTypeOf<Resource>().toEqualTypeOf<KubeResource>();
});
