import { defineConfig } from 'vitest/config';

// structure: of the tree itself. unit: pure, parallel. integration: real daemons and namespaces, one file at a time per worker. e2e: a whole lab.
const shared = { testTimeout: 30_000, hookTimeout: 60_000 };
export default defineConfig({
	test: {
		projects: [
			{
				test: {
					...shared,
					name: 'structure',
					include: ['test/architecture/**/*.test.ts'],
				},
			},
			{
				test: {
					...shared,
					name: 'unit',
					include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
					exclude: ['**/*.integration.test.ts', '**/node_modules/**'],
				},
			},
			{
				test: {
					...shared,
					name: 'integration',
					include: ['packages/*/src/**/*.integration.test.ts', 'test/interop/**/*.test.ts'],
					testTimeout: 120_000,
					maxWorkers: 2,
				},
			},
			{
				test: {
					...shared,
					name: 'e2e',
					globalSetup: ['test/e2e/harness/global-setup.ts'],
					setupFiles: ['test/e2e/harness/verify.ts'],
					include: ['test/e2e/**/*.test.ts'],
					testTimeout: 300_000,
					hookTimeout: 300_000,
					maxWorkers: 1,
					fileParallelism: false,
				},
			},
		],
	},
});
