export { type ApiServer, type ApiServerDeps, type ApiServerOptions, type HostPort, startApiServer } from './server.ts';
