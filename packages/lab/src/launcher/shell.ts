/** One line of shell that runs exactly this program with these arguments. */
export function shellLine(argv: readonly string[]): string {
	return argv.map(quote).join(' ');
}

const plain = /^[\w@%+=:,./-]+$/;

function quote(argument: string): string {
	if (plain.test(argument)) return argument;
	// A request to the guest is one line, so line ends are written in the $'...' form, which busybox' shell knows.
	const text = argument.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('\r', '\\r');
	return `$'${text}'`;
}
