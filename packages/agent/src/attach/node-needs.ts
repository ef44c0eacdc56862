/** Looks for what a mode takes on the node. */
export interface NodeNeeds {
	/** Whether there is a file. */
	readonly exists: (path: string) => boolean;
}

const places = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const;

/** Each of the answers is a sentence about what is missing; none when all is there. */
export function missingTap({ exists }: NodeNeeds): readonly string[] {
	return exists('/dev/net/tun') ? [] : ['there is no /dev/net/tun (modprobe tun)'];
}

export function missingProgram({ exists }: NodeNeeds, name: string, debianPackage: string): readonly string[] {
	return places.some((place) => exists(`${place}/${name}`)) ? [] : [`${name} is not installed (Debian: ${debianPackage})`];
}
