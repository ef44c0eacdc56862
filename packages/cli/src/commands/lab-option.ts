import { Option } from 'commander';

/** Chooses one of several labs on a machine. */
export const labOption = (): Option => new Option('--name <id>', 'the lab, where a machine holds several').default('lab');
