import { writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node';

/** Lines of a message and of a difference that are told. */
const most = 15;

/**
 * What failed, in a few plain lines each, to the file `--outputFile.failures` names. `npm test` says it at its end, which is all that some keep of a run; the
 * JSON report has neither differences nor what failed in a hook.
 */
class FailuresReporter implements Reporter {
	#file: string | undefined;

	onInit({ config }: Vitest): void {
		this.#file = typeof config.outputFile === 'object' ? config.outputFile.failures : undefined;
	}

	onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
		if (!this.#file) return;
		const parts = modules.flatMap((module) => [
			...tell(module.relativeModuleId, module.errors()),
			...[...module.children.allSuites()].flatMap((suite) => tell(`${module.relativeModuleId} > ${suite.fullName}`, suite.errors())),
			...[...module.children.allTests('failed')].flatMap((test) =>
				tell(`${module.relativeModuleId} > ${test.fullName}`, test.result().errors ?? []),
			),
		]);
		writeFileSync(this.#file, [...parts, ...tell('outside of tests', unhandled)].map((line) => `${line}\n`).join(''));
	}
}

function tell(where: string, errors: readonly SerializedError[]): readonly string[] {
	if (errors.length === 0) return [];
	const told = errors.flatMap(({ message = '', diff, stacks = [] }) => [
		...beginning(message),
		...beginning(typeof diff === 'string' ? diff : ''),
		...stacks.slice(0, 1).map(({ file, line }) => `    at ${file}:${line}`),
	]);
	return [`  ${where}`, ...told];
}

function beginning(text: string): readonly string[] {
	const lines = stripVTControlCharacters(text)
		.split('\n')
		.filter((line) => line.trim() !== '');
	return lines.slice(0, most).map((line) => `    ${line.slice(0, 200)}`);
}

// Vitest's loader takes a reporter as the default export of its file.
// biome-ignore lint/style/noDefaultExport: see above
export default FailuresReporter;
