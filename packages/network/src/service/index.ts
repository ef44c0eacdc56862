export { type ServiceEndpoint, serviceEndpoints } from './endpoints.ts';
export * from './facts.ts';
export { ruleServiceName, switchLbRuleFacts } from './rule-facts.ts';
