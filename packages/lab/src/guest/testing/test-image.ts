import { fileURLToPath } from 'node:url';
import { buildGuestImage, type GuestImage } from '../image.ts';

/** The guest image in the checkout's cache; built by the first test that asks for it. */
export function testImage(): Promise<GuestImage> {
	return buildGuestImage({ env: process.env }, fileURLToPath(new URL('../../../../../.cache/guest', import.meta.url)));
}
