export * from './allocator.ts';
export * from './cidr.ts';
export * from './ip.ts';
export * from './mac.ts';
export * from './ranges.ts';
