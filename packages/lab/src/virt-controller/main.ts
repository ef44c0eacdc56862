import { runControlPlaneProgram } from '../control-plane-program.ts';
import { runVirtController } from './virt-controller.ts';

await runControlPlaneProgram('virt-controller', runVirtController);
