export * from './grpc/client.ts';
export { grpcError, grpcStatus, longestMessage } from './grpc/frame.ts';
export * from './grpc/server.ts';
export * from './kubevirt-hooks.ts';
export * from './kubevirt-names.ts';
export * from './program.ts';
export * from './system.ts';
export * from './tls/certificate.ts';
export * from './tls/server-identity.ts';
