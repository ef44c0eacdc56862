import { isCoded } from '@tapestry/base';

const codes = ['KUBE_EXISTS', 'KUBE_CONFLICT', 'KUBE_NOT_FOUND'];

/** A request that our copy of the API may be too old for: the watch brings what is there now, and with it another look. */
export async function unlessOutdated(request: Promise<unknown>): Promise<void> {
	try {
		await request;
	} catch (error) {
		if (!codes.some((code) => isCoded(error, code))) throw error;
	}
}
