#!/usr/bin/env node
// `npx tapestry`: the same as `npm run tapestry --`, through the script that brings in the dependencies.
process.argv.splice(2, 0, 'packages/cli/src/main.ts');
await import('../../../scripts/run.mjs');
