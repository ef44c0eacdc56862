import { behaviourOf, type JsonSchema, type KindDefinition, kinds } from '@tapestry/network';
import { writeGenerated } from './write-generated.ts';

/** Writes docs/reference/kinds.md from the kinds' schemas. `--check` fails when the file is stale. */
const lines = [
	'# Kinds',
	'',
	'Generated from `packages/network/src/api` by `scripts/generate-kinds-docs.ts`. All kinds are installed with these schemas; a kind or field',
	'that is not built is kept, has no effect, and says so in a condition.',
	'',
	'| kind | group | short names | scope | built |',
	'|---|---|---|---|---|',
	...kinds.map(({ resource, shortNames }) => {
		const { built, ignored, onlyValues } = behaviourOf(resource.kind);
		const extent = built ? (ignored || onlyValues ? 'in part' : 'yes') : 'no';
		const scope = resource.namespaced ? 'namespace' : 'cluster';
		return `| [${resource.kind}](#${resource.kind.toLowerCase()}) | ${resource.group} | ${shortNames.join(', ')} | ${scope} | ${extent} |`;
	}),
	...kinds.flatMap(section),
	'',
];
writeGenerated('docs/reference/kinds.md', 'generate-kinds-docs.ts', lines.join('\n'));

function section(kind: KindDefinition): string[] {
	const { resource, otherVersions = [] } = kind;
	const others = otherVersions.length > 0 ? ` (also served: ${otherVersions.join(', ')})` : '';
	return [
		'',
		`## ${resource.kind}`,
		'',
		`${kind.description} \`${resource.group}/${resource.version}\`${others}, \`${resource.plural}\`.`,
		'',
		'| field | type | default | description | built |',
		'|---|---|---|---|---|',
		...fields('spec', kind.spec, (path) => builtness(resource.kind, path)),
		...(kind.status ? fields('status', kind.status, () => '') : []),
	];
}

function fields(path: string, schema: JsonSchema, built: (path: string) => string): string[] {
	const inner = schema.items ? { schema: schema.items, path: `${path}[]` } : { schema, path };
	return Object.entries(inner.schema.properties ?? {}).flatMap(([name, child]) => {
		const here = `${inner.path}.${name}`;
		const required = inner.schema.required?.includes(name) ? ' (required)' : '';
		const cells = [`\`${here}\``, `${typeOf(child)}${required}`, defaultOf(child), child.description ?? '', built(here)];
		return [`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`, ...fields(here, child, built)];
	});
}

function typeOf(schema: JsonSchema): string {
	if (schema['x-kubernetes-int-or-string']) return 'integer or string';
	if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
	if (schema.items) return `list of ${typeOf(schema.items)}`;
	if (schema.additionalProperties) return `map of ${typeOf(schema.additionalProperties)}`;
	const { minimum, maximum } = schema;
	const range = minimum === undefined ? '' : maximum === undefined ? ` from ${minimum}` : ` from ${minimum} to ${maximum}`;
	return `${schema.type ?? 'any'}${range}`;
}

function defaultOf(schema: JsonSchema): string {
	return schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``;
}

function builtness(kind: string, path: string): string {
	const { built, ignored = [], onlyValues = {} } = behaviourOf(kind);
	const below = path.replace(/^spec\./, '');
	const isIgnored = ignored.some((entry) => below === entry || below.startsWith(`${entry}.`) || below.startsWith(`${entry}[].`));
	if (!built || isIgnored) return 'no';
	const values = onlyValues[below];
	return values ? `only ${values.map((value) => `\`${value}\``).join(', ')}` : 'yes';
}
