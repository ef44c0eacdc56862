const noDpdk = 'needs Open vSwitch with DPDK and huge pages, which most machines have not';

/** Tests that may be skipped, by full name, each with its reason. A skipped test that is not listed here fails the run. */
export const skips: Readonly<Record<string, string>> = {
	'a guest by vhost-user has its address from OVN, pings and echoes a stream': noDpdk,
	'a guest by vhost-user is under the policy of its port': noDpdk,
	'a guest by vhost-user goes on with the next agent and the next switch, and leaves nothing': noDpdk,
};
