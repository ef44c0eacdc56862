import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProcessDeps, run } from '../process.ts';

export const counterSource = fileURLToPath(new URL('./tsc-khz.c', import.meta.url));

/** Where it is in the directory of a guest's image. */
export const counterProgram = (image: { readonly directory: string }): string => join(image.directory, 'tsc-khz');

/**
 * How fast this machine's time stamp counter counts, in kHz. A guest that measures it by emulated timers while the machine is busy is now and then wrong by
 * factors: its clock runs ahead from then on, and its DHCP client gives up before anybody can have answered.
 */
export async function timeStampCounterKhz(deps: ProcessDeps, image: { readonly directory: string }): Promise<number> {
	return Number(await run(deps, [counterProgram(image)]));
}
