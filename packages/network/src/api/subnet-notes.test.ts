import { sentence } from '@tapestry/base';
import { expect, it } from 'vitest';
import { annotations } from './names.ts';
import { subnetNotes } from './subnet-notes.ts';

it.each([
	['bridge', []],
	['fast', [/of subnet blue that leave .* asks for "fast", which is no attachment mode/]],
	['tap', []],
])('says what is wrong with the attachment mode of its machines: %s', (mode, words) => {
	const subnet = { metadata: { name: 'blue', annotations: { [annotations.attachmentMode]: mode } }, spec: { cidrBlock: '10.1.0.0/16' } };
	expect(subnetNotes(subnet, []).map(sentence)).toEqual(words.map((pattern) => expect.stringMatching(pattern)));
});
