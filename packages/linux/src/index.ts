export * from './errors.ts';
export * from './link.ts';
export type { Link } from './link-message.ts';
export * from './listen.ts';
export * from './namespace.ts';
export { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket, type Request } from './netlink/socket.ts';
