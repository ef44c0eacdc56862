import { parseArgs } from 'node:util';
import { type BenchModule, renderTable } from './harness.ts';

const names = ['attach', 'lift', 'ovsdb', 'ipam', 'compile'];
const usage = `usage: npm run bench -- ${names.join('|')} [--json]\n`;

const { name, json } = readArguments();
if (name === undefined || !names.includes(name)) {
	process.stderr.write(usage);
	process.exitCode = 2;
} else {
	const bench = (await import(`./${name}.ts`)) as BenchModule;
	const result = await bench.run({ json });
	process.stdout.write(json ? `${JSON.stringify(result)}\n` : renderTable(result));
}

function readArguments(): { readonly name: string | undefined; readonly json: boolean } {
	try {
		const { values, positionals } = parseArgs({ options: { json: { type: 'boolean', default: false } }, allowPositionals: true });
		return { name: positionals.length === 1 ? positionals[0] : undefined, json: values.json };
	} catch {
		return { name: undefined, json: false };
	}
}
