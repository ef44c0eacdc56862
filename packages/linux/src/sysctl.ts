import { readFileSync, writeFileSync } from 'node:fs';
import type { Namespace } from './namespace.ts';

/** Reads a setting below /proc/sys/net in a namespace. */
export function getNetworkSetting(namespace: Namespace, key: string): string {
	return namespace.run(() => readFileSync(`/proc/sys/net/${key}`, 'utf8').trim());
}

/**
 * Writes settings below /proc/sys/net in a namespace. Keys are paths, as in `ipv6/conf/eth0/accept_ra`: with dots an interface name that holds one
 * would be ambiguous. A setting that already has the value is not written, so that a read-only /proc/sys is enough where nothing changes.
 */
export function setNetworkSettings(namespace: Namespace, settings: Readonly<Record<string, string | number>>): void {
	namespace.run(() => {
		for (const [key, value] of Object.entries(settings)) {
			const path = `/proc/sys/net/${key}`;
			if (readFileSync(path, 'utf8').trim() !== String(value)) writeFileSync(path, String(value));
		}
	});
}
