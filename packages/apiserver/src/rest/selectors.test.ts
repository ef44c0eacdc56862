import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../objects.ts';
import { builtinKinds } from '../registry/builtin.ts';
import type { Kind } from '../registry/kind.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';

const labelled = (labels: Readonly<Record<string, string>>): ApiObject => ({
	apiVersion: 'v1',
	kind: 'Pod',
	metadata: { name: 'web', labels },
});
const kindOf = (resource: string): Kind => {
	const kind = builtinKinds.find((one) => one.resource === resource);
	if (!kind) throw new Error(resource);
	return kind;
};

describe('parseLabelSelector', () => {
	it.each([
		['', {}, true],
		['a=b', { a: 'b' }, true],
		['a==b', { a: 'c' }, false],
		['a=', { a: '' }, true],
		['a!=b', { a: 'b' }, false],
		['a!=b', {}, true],
		['a in (b, c)', { a: 'c' }, true],
		['a in (b,c)', {}, false],
		['a notin (b,c)', { a: 'd' }, true],
		['a notin (b,c)', {}, true],
		['a', { a: '' }, true],
		['a', {}, false],
		['!a', {}, true],
		['!a', { a: 'b' }, false],
		['a>1', { a: '2' }, true],
		['a<1', { a: '2' }, false],
		['a in (b,c),x.io/y=z,!d', { a: 'b', 'x.io/y': 'z' }, true],
		['a in (b,c),x.io/y=z,!d', { a: 'b', 'x.io/y': 'z', d: '' }, false],
		// Names of Object.prototype are no labels.
		['constructor', {}, false],
	])('%j on %j is %s', (selector, labels, expected) => {
		expect(parseLabelSelector(selector)(labelled(labels))).toBe(expected);
	});

	it.each(['a=b=c', 'a in b', ',', 'a b', '=b'])('refuses %j', (selector) => {
		expect(() => parseLabelSelector(selector)).toThrow(expect.objectContaining({ reason: 'BadRequest' }));
	});
});

describe('parseFieldSelector', () => {
	const pod: ApiObject = {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'web', namespace: 'default' },
		spec: { nodeName: 'n1', hostNetwork: true },
		status: {},
	};

	it.each([
		['', true],
		['metadata.name=web', true],
		['metadata.namespace==default,spec.nodeName=n1', true],
		['spec.nodeName!=n1', false],
		['status.phase=', true],
		['spec.hostNetwork=true', true],
	])('%j is %s', (selector, expected) => {
		expect(parseFieldSelector(selector, kindOf('pods'))(pod)).toBe(expected);
	});

	it('knows the names of both kinds of events, and escapes', () => {
		const event: ApiObject = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, involvedObject: { name: 'a,b', kind: 'Pod' } };
		expect(parseFieldSelector('involvedObject.kind=Pod,involvedObject.name=a\\,b', kindOf('events'))(event)).toBe(true);
		expect(parseFieldSelector('regarding.kind=Node', kindOf('events'))(event)).toBe(false);
	});

	it('refuses fields that the kind does not offer', () => {
		expect(() => parseFieldSelector('spec.nodeName=n1', kindOf('services'))).toThrow('field label not supported: spec.nodeName');
		expect(() => parseFieldSelector('metadata.name', kindOf('pods'))).toThrow(expect.objectContaining({ reason: 'BadRequest' }));
	});
});
