export { type AgentDeps, type AgentOptions, startAgent } from './agent.ts';
