import { CodedError } from '@tapestry/base';

/** An element of a document, by its place in the text. */
export interface XmlElement {
	readonly name: string;
	readonly attributes: ReadonlyMap<string, XmlAttribute>;
	readonly children: readonly XmlElement[];
	/** From `<` to the `>` of the end tag. */
	readonly start: number;
	readonly end: number;
	/** What is between the tags; empty, and just before `/>`, for an element without an end tag. */
	readonly innerStart: number;
	readonly innerEnd: number;
	readonly selfClosing: boolean;
}

export interface XmlAttribute {
	/** With the entities resolved. */
	readonly value: string;
	/** What is between the quotes. */
	readonly start: number;
	readonly end: number;
}

const nameStart = /[A-Za-z_:\u0080-\uffff]/;
const deepest = 64;

interface Open extends XmlElement {
	readonly children: XmlElement[];
}

/**
 * Where the elements of an XML document are. Nothing is built from it but positions: whoever changes something replaces a piece of the text, and
 * the rest stays as it is, byte by byte. Document types are refused (entities of their own, and libvirt writes none).
 * @throws XML_MALFORMED
 */
export function scanXml(text: string): XmlElement {
	const open: Open[] = [];
	let root: XmlElement | undefined;
	let at = text.startsWith('\ufeff') ? 1 : 0;
	const fail = (why: string, where: number): never => {
		const line = text.slice(0, where).split('\n').length;
		throw new CodedError('XML_MALFORMED', { what: 'the document is not XML that can be changed', why: `line ${line}: ${why}` });
	};
	const after = (end: string, from: number, what: string): number => {
		const found = text.indexOf(end, from);
		return found < 0 ? fail(`${what} has no end`, from) : found + end.length;
	};
	const close = (element: Open, innerEnd: number, end: number): void => {
		const done = { ...element, innerEnd, end };
		const parent = open.at(-1);
		if (parent) parent.children.push(done);
		else root = done;
	};
	while (at < text.length) {
		const next = text.indexOf('<', at);
		const between = text.slice(at, next < 0 ? text.length : next);
		if (open.length === 0 && between.trim() !== '') fail('there is text outside the root element', at);
		if (next < 0) break;
		at = next;
		if (text.startsWith('<!--', at)) at = after('-->', at + 4, 'a comment');
		else if (text.startsWith('<?', at)) at = after('?>', at + 2, 'a processing instruction');
		else if (text.startsWith('<![CDATA[', at)) {
			if (open.length === 0) fail('there is text outside the root element', at);
			at = after(']]>', at + 9, 'a CDATA section');
		} else if (text.startsWith('<!', at)) fail('document types are not read', at);
		else if (text.startsWith('</', at)) {
			const end = after('>', at, 'an end tag');
			const name = text.slice(at + 2, end - 1).trimEnd();
			const element = open.pop();
			if (element?.name !== name) return fail(`</${name}> ends nothing that began`, at);
			close(element, at, end);
			at = end;
		} else {
			if (root) fail('there is a second root element', at);
			const tag = readTag(text, at, fail);
			const element: Open = { ...tag, children: [] };
			at = tag.innerStart;
			if (tag.selfClosing) {
				at = tag.end;
				close(element, tag.innerEnd, tag.end);
			} else if (open.push(element) > deepest) fail(`elements are nested deeper than ${deepest}`, at);
		}
	}
	const [unfinished] = open;
	if (unfinished) fail(`<${unfinished.name}> has no end`, unfinished.start);
	return root ?? fail('there is no element', 0);
}

type Tag = Omit<XmlElement, 'children'>;

function readTag(text: string, start: number, fail: (why: string, where: number) => never): Tag {
	let at = start + 1;
	const name = (): string => {
		const from = at;
		if (!nameStart.test(text[at] ?? '')) fail('a name is missing', at);
		while (at < text.length && !/[\s/>=<'"]/.test(text[at] ?? '')) at++;
		return text.slice(from, at);
	};
	const spaces = (): boolean => {
		const from = at;
		while (/[ \t\r\n]/.test(text[at] ?? '')) at++;
		return at > from;
	};
	const element = name();
	const attributes = new Map<string, XmlAttribute>();
	for (;;) {
		const spaced = spaces();
		if (text.startsWith('/>', at)) {
			return { name: element, attributes, start, innerStart: at, innerEnd: at, end: at + 2, selfClosing: true };
		}
		if (text[at] === '>')
			return { name: element, attributes, start, innerStart: at + 1, innerEnd: at + 1, end: at + 1, selfClosing: false };
		if (!spaced) fail(`<${element}> is malformed`, at);
		const key = name();
		spaces();
		if (text[at] !== '=') fail(`attribute ${key} has no value`, at);
		at++;
		spaces();
		const quote = text[at];
		if (quote !== '"' && quote !== "'") fail(`the value of ${key} is not quoted`, at);
		const from = at + 1;
		const to = text.indexOf(quote ?? '', from);
		if (to < 0 || text.slice(from, to).includes('<')) fail(`the value of ${key} has no end`, from);
		if (attributes.has(key)) fail(`${key} is there twice`, from);
		attributes.set(key, { value: unescaped(text.slice(from, to)), start: from, end: to });
		at = to + 1;
	}
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
	return text.replace(/&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|\w+);/g, (whole, name: string) => {
		if (!name.startsWith('#')) return entities[name] ?? whole;
		const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
		return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
	});
}

/** Text with its entities resolved, comments left out and CDATA taken as it is. */
export function textOf(source: string, element: XmlElement): string {
	const inner = source.slice(element.innerStart, element.innerEnd);
	return inner
		.split(/(<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>)/)
		.map((part) => (part.startsWith('<!--') ? '' : part.startsWith('<![CDATA[') ? part.slice(9, -3) : unescaped(part)))
		.join('');
}

export function escapeXml(text: string): string {
	return text.replace(/[&<>"']/g, (sign) => `&${Object.keys(entities).find((name) => entities[name] === sign)};`);
}

/** A piece of a text and what stands in its place. */
export interface Edit {
	readonly start: number;
	readonly end: number;
	readonly text: string;
}

/** Pieces must not overlap. */
export function splice(text: string, edits: readonly Edit[]): string {
	let result = '';
	let at = 0;
	for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
		result += text.slice(at, edit.start) + edit.text;
		at = edit.end;
	}
	return result + text.slice(at);
}
