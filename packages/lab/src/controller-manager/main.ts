import { runControlPlaneProgram } from '../control-plane-program.ts';
import { runControllerManager } from './controller-manager.ts';

await runControlPlaneProgram('controller-manager', runControllerManager);
