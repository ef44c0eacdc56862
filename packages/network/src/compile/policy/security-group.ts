import type { Fragment } from '../../plan/model.ts';
import type { Read } from '../../world/world.ts';
import { portGroup, securityGroupGroup } from './groups.ts';

/** The group of the ports that name it, for rules that speak of it. Its own rules are in the lists of its ports (combined.ts). */
export function compileSecurityGroup(key: string, read: Read): Fragment {
	return read.get('SecurityGroup', key) ? { rows: [portGroup(securityGroupGroup(key))] } : { rows: [] };
}
