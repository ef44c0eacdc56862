/** Tests that may be skipped, by full name, each with its reason. A skipped test that is not listed here fails the run. */
export const skips: Readonly<Record<string, string>> = {};
