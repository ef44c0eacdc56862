import { childPath, duplicate, invalid, itemPath, required, tooMany } from './field-error.ts';
import { canonicalJson, isJsonObject, type JsonObject } from './json.ts';
import type { Compile, Rule } from './rule.ts';
import { count, flag, properties, subschema, text, texts } from './schema-node.ts';

export function arrayRules(schema: JsonObject, compile: Compile): readonly Rule<readonly unknown[]>[] {
	const rules: Rule<readonly unknown[]>[] = [];
	const least = count(schema, 'minItems');
	if (least !== undefined) {
		rules.push((value, path, report) => {
			if (value.length < least) report(invalid(path, value, `${path} in body should have at least ${least} items`));
		});
	}
	const most = count(schema, 'maxItems');
	if (most !== undefined) {
		rules.push((value, path, report) => {
			if (value.length > most) report(tooMany(path, value.length, most));
		});
	}
	if (flag(schema, 'uniqueItems')) {
		rules.push((value, path, report) => {
			const distinct = new Set(value.map(canonicalJson));
			if (distinct.size < value.length) report(invalid(path, value, `${path} in body shouldn't contain duplicates`));
		});
	}
	const identity = listIdentity(schema);
	if (identity) rules.push(noDuplicates(identity));
	const items = subschema(schema, 'items');
	if (items) {
		const validate = compile(items);
		rules.push((value, path, report) => {
			value.forEach((item, index) => {
				validate(item, itemPath(path, index), report);
			});
		});
	}
	return rules;
}

/** What makes two items of a `set` or `map` list the same one. */
function listIdentity(schema: JsonObject): ((item: unknown) => unknown) | undefined {
	const type = text(schema, 'x-kubernetes-list-type');
	if (type === 'set') return (item) => item;
	if (type !== 'map') return undefined;
	const keys = texts(schema, 'x-kubernetes-list-map-keys');
	return (item) => (isJsonObject(item) ? Object.fromEntries(keys.map((key) => [key, item[key]])) : item);
}

function noDuplicates(identity: (item: unknown) => unknown): Rule<readonly unknown[]> {
	return (value, path, report) => {
		const seen = new Set<string>();
		for (const [index, item] of value.entries()) {
			const key = identity(item);
			const canonical = canonicalJson(key);
			if (seen.has(canonical)) report(duplicate(itemPath(path, index), key));
			seen.add(canonical);
		}
	};
}

export function objectRules(schema: JsonObject, compile: Compile): readonly Rule<JsonObject>[] {
	const rules: Rule<JsonObject>[] = [];
	const names = texts(schema, 'required');
	if (names.length > 0) {
		rules.push((value, path, report) => {
			for (const name of names) if (!Object.hasOwn(value, name)) report(required(childPath(path, name)));
		});
	}
	const least = count(schema, 'minProperties');
	if (least !== undefined) {
		rules.push((value, path, report) => {
			const size = Object.keys(value).length;
			if (size < least) report(invalid(path, value, `${path} in body should have at least ${least} properties`));
		});
	}
	const most = count(schema, 'maxProperties');
	if (most !== undefined) {
		rules.push((value, path, report) => {
			const size = Object.keys(value).length;
			if (size > most) report(tooMany(path, size, most));
		});
	}
	if (flag(schema, 'x-kubernetes-embedded-resource')) rules.push(resourceRule);
	const fields = new Map([...properties(schema)].map(([name, property]) => [name, compile(property)] as const));
	const rest = subschema(schema, 'additionalProperties');
	const additional = rest && compile(rest);
	if (fields.size > 0 || additional) {
		rules.push((value, path, report) => {
			for (const [key, member] of Object.entries(value)) (fields.get(key) ?? additional)?.(member, childPath(path, key), report);
		});
	}
	return rules;
}

const resourceRule: Rule<JsonObject> = (value, path, report) => {
	for (const name of ['apiVersion', 'kind']) {
		if (typeof value[name] !== 'string' || value[name] === '') report(required(childPath(path, name), 'must not be empty'));
	}
};
