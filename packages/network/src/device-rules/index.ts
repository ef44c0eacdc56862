export { type Unenforced, unenforcedRules } from './acl-rules.ts';
export { type AddressServer, type DevicePlace, deviceRuleset, deviceRulesetChange } from './device-ruleset.ts';
export { deviceTable } from './nft-rule.ts';
export { type PortAcl, type PortRules, parsePortRules, readPortRules } from './port-rules.ts';
export { linkLocal } from './security-rules.ts';
