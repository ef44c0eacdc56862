export { type ServiceEndpoint, serviceEndpoints } from './endpoints.ts';
export * from './facts.ts';
