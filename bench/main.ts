import { CodedError } from '@tapestry/base';
import { type BenchModule, renderTable } from './harness.ts';

const names = ['attach', 'lift', 'ovsdb', 'ipam', 'compile', 'modes', 'vm', 'policy', 'why', 'restart'];
const usage = `usage: npm run bench -- ${names.join('|')} [--json]\n  modes takes --rounds N, --tables reflector,machines,pods,vhost-user, --modes lift,..., --sizes 64,8k,..., --against seeds, --out DIRECTORY\n  vm takes --rounds N, --count N (that many at once)\n  restart takes --ports N, --rounds N\n`;

const { name, json, args } = readArguments();
if (name === undefined || !names.includes(name)) {
	process.stderr.write(usage);
	process.exitCode = 2;
} else {
	await run(name);
}

async function run(name: string): Promise<void> {
	const bench = (await import(`./${name}.ts`)) as BenchModule;
	try {
		const result = await bench.run({ json, args });
		process.stdout.write(json ? `${JSON.stringify(result)}\n` : (bench.render ?? renderTable)(result));
	} catch (error) {
		if (!(error instanceof CodedError)) throw error;
		process.stderr.write(`${error.message}\n`);
		process.exitCode = 1;
	}
}

/** `--json` is everybody's; what else follows the name is the benchmark's own. */
function readArguments(): { readonly name: string | undefined; readonly json: boolean; readonly args: readonly string[] } {
	const given = process.argv.slice(2);
	const [name, ...args] = given.filter((argument) => argument !== '--json');
	return { name, json: given.includes('--json'), args };
}
