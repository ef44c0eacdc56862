import { expect, it } from 'vitest';
import { negotiate } from './negotiate.ts';

it.each([
	[undefined, 'object v1'],
	['application/json', 'object v1'],
	['*/*', 'object v1'],
	['application/vnd.kubernetes.protobuf, application/json', 'object v1'],
	['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'table v1'],
	['application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json', 'table v1beta1'],
	['application/json;as=Table;v=v2;g=meta.k8s.io,application/json', 'object v1'],
	['application/json;q=0.5, application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'partial v1'],
])('%j is %s', (accept, expected) => {
	const { shape, version } = negotiate(accept);
	expect(`${shape} ${version}`).toBe(expected);
});

it('knows YAML', () => expect(negotiate('application/yaml').yaml).toBe(true));

it('refuses what it cannot write', () => {
	expect(() => negotiate('application/vnd.kubernetes.protobuf')).toThrow(expect.objectContaining({ reason: 'NotAcceptable' }));
	expect(() => negotiate('application/json;as=Unknown;v=v1;g=meta.k8s.io')).toThrow(expect.objectContaining({ reason: 'NotAcceptable' }));
});
