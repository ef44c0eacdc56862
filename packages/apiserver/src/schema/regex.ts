const posixClasses: Readonly<Record<string, string>> = {
	alnum: '0-9A-Za-z',
	alpha: 'A-Za-z',
	digit: '0-9',
	lower: 'a-z',
	upper: 'A-Z',
	space: '\\s',
	word: '\\w',
	xdigit: '0-9A-Fa-f',
};

/**
 * A Go (RE2) pattern as a JavaScript one. Covers what differs in practice: leading flags, `\A`, `\z`, POSIX classes.
 * Throws SyntaxError. The `u` flag comes first because RE2 matches code points; it refuses needless escapes (`\-`) that RE2 allows.
 */
export function compileGoPattern(pattern: string): RegExp {
	const [prefix, letters] = /^\(\?([ims]+)\)/.exec(pattern) ?? ['', ''];
	const source = pattern
		.slice(prefix.length)
		.replace(/\\A/g, '^')
		.replace(/\\z/g, '$')
		.replace(/\[:(\w+):\]/g, (whole, name: string) => posixClasses[name] ?? whole);
	const flags = [...new Set(letters)].join('');
	try {
		return new RegExp(source, `${flags}u`);
	} catch {
		return new RegExp(source, flags);
	}
}
