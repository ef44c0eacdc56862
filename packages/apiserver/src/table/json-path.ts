/** All values that a path selects, in order. */
export type JsonPath = (value: unknown) => readonly unknown[];

type Step = (value: unknown) => readonly unknown[];

const stepForms: readonly { readonly form: RegExp; readonly step: (groups: readonly string[]) => Step }[] = [
	{ form: /^(?:\.\*|\[\*\])/, step: () => children },
	{ form: /^\.((?:[^.[\]{}\\*]|\\.)+)/, step: ([name = '']) => member(unescaped(name)) },
	{ form: /^\[(-?\d+)\]/, step: ([index]) => item(Number(index)) },
	{ form: /^\['((?:[^'\\]|\\.)*)'\]/, step: ([name = '']) => member(unescaped(name)) },
	{ form: /^\["((?:[^"\\]|\\.)*)"\]/, step: ([name = '']) => member(unescaped(name)) },
	{
		form: /^\[\?\(\s*@(\S+?)\s*(==|!=)\s*(.+?)\s*\)\]/,
		step: ([path = '', operator, literal = '']) => filter(path, operator === '==', literal),
	},
	{ form: /^\[\?\(\s*@(\S+?)\s*\)\]/, step: ([path = '']) => filter(path) },
];

/**
 * The JSONPath of printer columns: `.a.b`, `.a\.b`, `['a.b']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`, in braces or not.
 * Undefined when it has any other form.
 */
export function compileJsonPath(text: string): JsonPath | undefined {
	let rest = /^\{(.*)\}$/.exec(text)?.[1] ?? text;
	if (rest !== '' && !/^[.[$]/.test(rest)) rest = `.${rest}`;
	if (rest.startsWith('$')) rest = rest.slice(1);
	const steps: Step[] = [];
	while (rest !== '') {
		const parsed = parseStep(rest);
		if (!parsed) return undefined;
		steps.push(parsed.step);
		rest = rest.slice(parsed.length);
	}
	return (value) => steps.reduce<readonly unknown[]>((values, step) => values.flatMap(step), [value]);
}

function parseStep(text: string): { readonly step: Step; readonly length: number } | undefined {
	for (const { form, step } of stepForms) {
		const match = form.exec(text);
		if (match) return { step: step(match.slice(1)), length: match[0].length };
	}
	return undefined;
}

const unescaped = (name: string): string => name.replace(/\\(.)/g, '$1');

const children: Step = (value) => (typeof value === 'object' && value !== null ? Object.values(value) : []);

function member(name: string): Step {
	return (value) => {
		if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return [];
		return [(value as Readonly<Record<string, unknown>>)[name]];
	};
}

function item(index: number): Step {
	return (value) => {
		if (!Array.isArray(value)) return [];
		const found: unknown = value.at(index);
		return found === undefined ? [] : [found];
	};
}

function filter(path: string, equal?: boolean, literal?: string): Step {
	const select = compileJsonPath(path);
	const wanted = literal === undefined ? undefined : parseLiteral(literal);
	return (value) => {
		if (!Array.isArray(value) || !select) return [];
		return value.filter((candidate) => {
			const [found] = select(candidate);
			return equal === undefined ? found !== undefined : (found === wanted) === equal;
		});
	};
}

function parseLiteral(text: string): unknown {
	const quoted = /^(['"])(.*)\1$/.exec(text);
	if (quoted) return unescaped(quoted[2] ?? '');
	if (text === 'true' || text === 'false') return text === 'true';
	return Number(text);
}
