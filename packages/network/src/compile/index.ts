export { Compiler, compile, compileAll } from './compiler.ts';
export { activeGateways } from './gateway.ts';
export { fnv1a } from './hash.ts';
export { dhcpRow, egressSetName, nodePortName, routerMac, routerPortName, shownMac, switchRow } from './names.ts';
export { securityGroupGroup } from './policy/groups.ts';
export { rateLimits } from './rate-limit.ts';
export { monitoredColumns } from './tables.ts';
