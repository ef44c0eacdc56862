import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Writes packages/apiserver/src/typed/messages.generated.ts from the Go types of Kubernetes: their struct tags say both how a field
// is named in JSON and which protobuf field it is (the .proto files do not say which fields JSON inlines, nor which are pointers).
//
//   node scripts/generate-kube-messages.ts GOPATH/src/k8s.io
//
// Debian has the sources in golang-k8s-api-dev and golang-k8s-apimachinery-dev (/usr/share/gocode/src/k8s.io).

/** The types of request bodies: what the API server stores, and what its subresources take. */
const roots = [
	'core/v1: Binding ConfigMap Endpoints Event Namespace Node Pod Secret Service ServiceAccount',
	'apps/v1: ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet',
	'coordination/v1: Lease',
	'discovery/v1: EndpointSlice',
	'events/v1: Event',
	'networking/v1: NetworkPolicy',
	'policy/v1: Eviction',
	'rbac/v1: ClusterRole ClusterRoleBinding Role RoleBinding',
	'meta/v1: DeleteOptions',
];

/** Go types that have their own form in JSON. */
const special: Readonly<Record<string, string>> = {
	'meta/v1.Time': 'time',
	'meta/v1.MicroTime': 'microtime',
	'meta/v1.Duration': 'duration',
	'meta/v1.FieldsV1': 'raw',
	'runtime.RawExtension': 'raw',
	'resource.Quantity': 'quantity',
	'intstr.IntOrString': 'intorstring',
	'types.UID': 'string',
	'intstr.Type': 'int',
};

const scalars: Readonly<Record<string, string>> = { string: 'string', bool: 'bool', int32: 'int', int64: 'int', '[]byte': 'bytes' };

interface Field {
	readonly goType: string;
	readonly json: string;
	readonly omitEmpty: boolean;
	readonly inline: boolean;
	readonly number: number;
}

/** A struct's fields, or the type that a named type stands for. */
type Declaration = { readonly fields: readonly Field[] } | { readonly alias: string };

const [root] = process.argv.slice(2);
if (root === undefined) throw new Error('name the directory k8s.io of the Go sources');
const packages = new Map<string, Map<string, Declaration>>();
const messages = new Map<string, string>();
for (const line of roots) {
	const [path = '', names = ''] = line.split(': ');
	for (const name of names.split(' ')) message(path, name);
}
write();

function message(path: string, name: string): string {
	const key = `${path}.${name}`;
	if (messages.has(key)) return key;
	const declaration = declarations(path).get(name);
	if (!declaration || !('fields' in declaration)) throw new Error(`${key} is not a struct`);
	messages.set(key, '');
	messages.set(
		key,
		declaration.fields.map((field) => `${field.json}:${field.number}:${flags(field)}${typeOf(path, field.goType)}`).join(' '),
	);
	return key;
}

/** `^`: its fields are those of the parent in JSON; `+`: present in JSON also when it is empty, false or 0. */
function flags({ goType, inline, omitEmpty }: Field): string {
	if (inline) return '^';
	return goType.startsWith('*') || !omitEmpty ? '+' : '';
}

function typeOf(path: string, goType: string): string {
	const scalar = scalars[goType];
	if (scalar) return scalar;
	if (goType.startsWith('*')) return typeOf(path, goType.slice(1));
	if (goType.startsWith('[]')) return `[]${typeOf(path, goType.slice(2))}`;
	const map = /^map\[[\w.]+\](.+)$/.exec(goType);
	if (map) return `{}${typeOf(path, map[1] ?? '')}`;
	const [qualifier, name] = goType.includes('.') ? goType.split('.') : [undefined, goType];
	const home = qualifier === undefined ? path : packagePath(qualifier);
	const known = special[`${home}.${name}`];
	if (known) return known;
	const declaration = declarations(home).get(name ?? '');
	if (declaration && 'alias' in declaration) return typeOf(home, declaration.alias);
	return message(home, name ?? '');
}

function packagePath(qualifier: string): string {
	const paths: Readonly<Record<string, string>> = { metav1: 'meta/v1', v1: 'core/v1', corev1: 'core/v1' };
	return paths[qualifier] ?? qualifier;
}

function declarations(path: string): Map<string, Declaration> {
	const found = packages.get(path);
	if (found) return found;
	const directory = path === 'meta/v1' ? join(root ?? '', 'apimachinery/pkg/apis/meta/v1') : join(root ?? '', 'api', path);
	const sources = readdirSync(directory).filter(
		(file) => file.endsWith('.go') && !file.includes('generated') && !file.endsWith('_test.go'),
	);
	const parsed = new Map(sources.flatMap((file) => parse(readFileSync(join(directory, file), 'utf8'))));
	packages.set(path, parsed);
	return parsed;
}

function parse(source: string): [string, Declaration][] {
	const structs = [...source.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)].map(([, name = '', body = '']): [string, Declaration] => [
		name,
		{ fields: body.split('\n').flatMap(parseField) },
	]);
	const aliases = [...source.matchAll(/^type (\w+) =?\s*([\w.[\]*]+)$/gm)].map(([, name = '', alias = '']): [string, Declaration] => [
		name,
		{ alias },
	]);
	return [...structs, ...aliases];
}

function parseField(line: string): Field[] {
	const match = /^\t(?:(\w+)\s+)?(\S+)\s+`(.+)`/.exec(line);
	const number = /protobuf:"\w+,(\d+)/.exec(match?.[3] ?? '')?.[1];
	const [json = '', ...options] = (/json:"([^"]*)"/.exec(match?.[3] ?? '')?.[1] ?? '').split(',');
	if (!match || number === undefined) return [];
	const name = match[1] ?? match[2] ?? '';
	const inline = options.includes('inline');
	return [{ goType: match[2] ?? '', json: json || name, omitEmpty: options.includes('omitempty'), inline, number: Number(number) }];
}

function write(): void {
	const lines = [...messages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, fields]) => `\t'${name}': '${fields}',\n`);
	const text = `// Written by scripts/generate-kube-messages.ts from the Go types of Kubernetes (Apache-2.0). Do not edit.

/** By \`package.Type\`: its fields as \`json-name:number:type\`; \`[]\` list, \`{}\` map of strings, \`^\` inline, \`+\` written also when empty. */
export const messages: Readonly<Record<string, string>> = {
${lines.join('')}};
`;
	writeFileSync(join(import.meta.dirname, '../packages/apiserver/src/typed/messages.generated.ts'), text);
}
