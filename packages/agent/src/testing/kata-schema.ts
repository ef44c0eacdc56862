/** What Kata's two runtimes understand of a direct attachment, as their sources parse it: types, required members, values. */
export type KataRuntime = 'runtime-rs' | 'go';

const text = (value: unknown): boolean => typeof value === 'string';
const count =
	(limit: number) =>
	(value: unknown): boolean =>
		Number.isInteger(value) && Number(value) >= 0 && Number(value) <= limit;
const u32 = count(2 ** 32 - 1);
type Rules = Readonly<Record<string, (value: unknown) => boolean>>;

const mac = (value: unknown): boolean => text(value) && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(String(value));
const cidr = (value: unknown): boolean => text(value) && /^[0-9a-f.:]+\/\d{1,3}$/.test(String(value));
const addressOrNothing = (value: unknown): boolean => text(value) && /^[0-9a-f.:]*$/.test(String(value));

/** By runtime: the members of `device`, by its type. Any other type is an error ("unknown DAN device type"). */
const devices: Readonly<Record<KataRuntime, Readonly<Record<string, Rules>>>> = {
	'runtime-rs': {
		'host-tap': { tap_name: (value) => text(value) && String(value).length <= 15, queue_num: count(256), queue_size: count(65_535) },
		'vhost-user': { path: text },
	},
	go: { vfio: { pci_device_id: (value) => text(value) && /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(String(value)) } },
};
const route: Rules = { dest: addressOrNothing, gateway: addressOrNothing, source: addressOrNothing, scope: u32, flags: u32, mtu: u32 };
const link: Rules = {
	ip_addresses: (value) => Array.isArray(value) && value.every(cidr),
	mtu: count(65_535),
	ntype: text,
	flags: u32,
};

/** Each deviation, as a sentence; none for a document that the runtime takes. */
export function kataFaults(document: unknown, runtime: KataRuntime): readonly string[] {
	const faults: string[] = [];
	const object = (value: unknown, where: string): Record<string, unknown> => {
		if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
		faults.push(`${where} is no object`);
		return {};
	};
	const list = (value: unknown, where: string): readonly unknown[] => {
		if (Array.isArray(value)) return value;
		faults.push(`${where} is no list`);
		return [];
	};
	const obey = (value: unknown, rules: Rules, where: string): void => {
		const members = object(value, where);
		for (const [name, holds] of Object.entries(rules))
			if (!holds(members[name])) faults.push(`${where}.${name} is ${JSON.stringify(members[name])}`);
	};
	const { netns, devices: all } = object(document, 'the document');
	if (netns !== null && !text(netns)) faults.push('netns is neither null nor a text');
	for (const [index, entry] of list(all, 'devices').entries()) {
		const where = `devices[${index}]`;
		const { device, network_info: info } = object(entry, where);
		obey(entry, { name: text, guest_mac: mac }, where);
		const type = String(object(device, `${where}.device`).type);
		const rules = devices[runtime][type];
		if (rules) obey(device, rules, `${where}.device`);
		else faults.push(`unknown DAN device type "${type}"`);
		const { interface: nic, routes, neighbors } = object(info, `${where}.network_info`);
		obey(nic, link, `${where}.network_info.interface`);
		for (const [at, one] of list(routes, `${where}.routes`).entries()) obey(one, route, `${where}.routes[${at}]`);
		list(neighbors, `${where}.neighbors`);
	}
	return faults;
}
