export * from './daemons/central.ts';
export * from './daemons/open-vswitch.ts';
export * from './daemons/ovsdb-server.ts';
export * from './layout.ts';
export * from './process.ts';
