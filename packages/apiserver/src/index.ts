export { type ApiServer, type ApiServerDeps, type ApiServerOptions, startApiServer } from './server.ts';
