export * from './read-admin-policy.ts';
export { readNetworkPolicy } from './read-network-policy.ts';
export { readSecurityGroup } from './read-security-group.ts';
export { subnetRules } from './read-subnet-rules.ts';
