import { runControlPlaneProgram } from '../control-plane-program.ts';
import { runScheduler } from './scheduler.ts';

await runControlPlaneProgram('scheduler', runScheduler);
