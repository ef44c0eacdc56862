export * from './program.ts';
export * from './system.ts';
export * from './tls/certificate.ts';
export * from './tls/server-identity.ts';
