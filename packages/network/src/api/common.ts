import { arrayOf, integer, mapOf, object, oneOf, string, type TypeOf } from './schema.ts';

const condition = object(
	'One observation about the object.',
	{
		type: string('What the condition is about.'),
		status: oneOf(['True', 'False', 'Unknown'], 'Whether it holds.'),
		reason: string('One CamelCase word for programs.'),
		message: string('What happened, why, and how to fix it.'),
		observedGeneration: integer('The metadata.generation that was looked at.', { format: 'int64' }),
		lastUpdateTime: string('When the condition was last written.'),
		lastTransitionTime: string('When the status last changed.'),
	},
	['type', 'status'],
);
export type ObjectCondition = TypeOf<typeof condition>;

/** `status.conditions` of every kind. */
export const conditions = arrayOf(condition, 'What the controller found, one entry for each type.', {
	'x-kubernetes-list-type': 'map',
	'x-kubernetes-list-map-keys': ['type'],
});

export const strings = (description: string) => arrayOf(string('One entry.'), description);

const labelRequirement = object(
	'One requirement.',
	{
		key: string('Label key.'),
		operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist'], 'How the values are compared.'),
		values: strings('Values for In and NotIn.'),
	},
	['key', 'operator'],
);

export const labelSelector = (description: string) =>
	object(description, {
		matchLabels: mapOf(string('Label value.'), 'Labels that must all be there.'),
		matchExpressions: arrayOf(labelRequirement, 'Requirements that must all hold.'),
	});
export type LabelSelector = TypeOf<ReturnType<typeof labelSelector>>;
