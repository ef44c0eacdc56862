/** Versions of the CNI specification that are answered, oldest first. */
export const supportedVersions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
export type CniVersion = (typeof supportedVersions)[number];

export const newestVersion: CniVersion = '1.1.0';

export function isSupported(version: string): version is CniVersion {
	return (supportedVersions as readonly string[]).includes(version);
}

export function isAtLeast(version: CniVersion, other: CniVersion): boolean {
	return supportedVersions.indexOf(version) >= supportedVersions.indexOf(other);
}
