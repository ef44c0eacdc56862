import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProcessDeps, run } from '../process.ts';
import type { GuestImage } from './image.ts';

export const counterSource = fileURLToPath(new URL('./tsc-khz.c', import.meta.url));

export const counterProgram = (image: Pick<GuestImage, 'directory'>): string => join(image.directory, 'tsc-khz');

/**
 * How fast this machine's time stamp counter counts, in kHz. A guest that measures it by emulated timers while the machine is busy is now and then wrong by
 * factors: its clock runs ahead from then on, and its DHCP client gives up before anybody can have answered.
 */
export async function timeStampCounterKhz(deps: ProcessDeps, image: GuestImage): Promise<number> {
	return Number(await run(deps, [counterProgram(image)]));
}
