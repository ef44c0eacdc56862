import { CodedError } from '@tapestry/base';
import { disabledOffloads } from '@tapestry/host';
import { type Edit, escapeXml, scanXml, splice, textOf, type XmlElement } from './scan-xml.ts';

/** A NIC as the domain has to have it. */
export interface DomainNic {
	/** Name of the network in the instance: KubeVirt finds the NIC by the alias `ua-NETWORK`. */
	readonly network: string;
	/** Name of the tap, which exists when the VMM starts. */
	readonly tap: string;
	/** What else an element has that is not there yet. */
	readonly model: string;
	readonly mac: string | undefined;
	readonly mtu: number | undefined;
	/** More than one with multi-queue. */
	readonly queues: number;
	/** Whether the guest is offered nothing to leave its packets' checksums to. */
	readonly guestChecksums: boolean;
}

/**
 * The domain with each NIC on its tap. An interface of the NIC's alias keeps all that it has but its target; without one a new one is added at
 * the end of the devices. Everything outside of these edits stays byte by byte, and a domain that is right already stays as it is: KubeVirt calls
 * hooks up to three times for one start, each time with what the last call made of the XML.
 * @param domainName what the XML has to be about
 * @throws XML_MALFORMED, HOOK_DOMAIN when the XML is not KubeVirt's of this machine
 */
export function placeNics(xml: string, domainName: string, nics: readonly DomainNic[]): string {
	const root = scanXml(xml);
	if (root.name !== 'domain') throw refused(`its root element is <${root.name}>`);
	const name = only(root, 'name');
	if (!name || textOf(xml, name).trim() !== domainName) throw refused(`it is not about ${domainName}`);
	const devices = only(root, 'devices');
	if (!devices) throw refused('it has no <devices>');
	const missing: DomainNic[] = [];
	const edits = nics.flatMap((nic) => {
		const found = devices.children.filter((child) => child.name === 'interface' && aliasOf(child) === aliasFor(nic));
		if (found.length > 1) throw refused(`it has ${found.length} interfaces with alias ${aliasFor(nic)}`);
		const [element] = found;
		if (element) return editsOf(xml, element, nic);
		missing.push(nic);
		return [];
	});
	return splice(xml, [...edits, ...added(xml, devices, missing)]);
}

function refused(why: string): CodedError {
	const fix = 'call the hook with the domain that virt-launcher makes';
	return new CodedError('HOOK_DOMAIN', { what: "this is not the XML of KubeVirt's domain", why, fix });
}

function only(parent: XmlElement, name: string): XmlElement | undefined {
	const found = parent.children.filter((child) => child.name === name);
	if (found.length > 1) throw refused(`it has ${found.length} elements <${name}>`);
	return found[0];
}

const aliasFor = ({ network }: DomainNic): string => `ua-${network}`;

function aliasOf(element: XmlElement): string | undefined {
	return only(element, 'alias')?.attributes.get('name')?.value;
}

/** libvirt's `ethernet` is the one type that takes a tap which somebody else made. */
function editsOf(xml: string, element: XmlElement, nic: DomainNic): readonly Edit[] {
	if (element.attributes.get('type')?.value !== 'ethernet') {
		return [{ start: element.start, end: element.end, text: interfaceXml(nic, lineBreakBefore(xml, element.start)) }];
	}
	const target = only(element, 'target');
	const { dev, managed } = Object.fromEntries(target?.attributes ?? []);
	if (dev?.value === nic.tap && managed?.value === 'no') return [];
	const wanted = targetXml(nic);
	if (target) return [{ start: target.start, end: target.end, text: wanted }];
	const at = element.children[0]?.end ?? element.innerStart;
	return [{ start: at, end: at, text: `${lineBreakBefore(xml, element.children[0]?.start ?? at)}${wanted}` }];
}

function added(xml: string, devices: XmlElement, nics: readonly DomainNic[]): readonly Edit[] {
	if (nics.length === 0) return [];
	const last = devices.children.at(-1);
	const indent = last ? lineBreakBefore(xml, last.start) : '';
	const text = nics.map((nic) => `${indent}${interfaceXml(nic, indent)}`).join('');
	if (devices.selfClosing) return [{ start: devices.innerStart, end: devices.end, text: `>${text}</devices>` }];
	const at = last?.end ?? devices.innerEnd;
	return [{ start: at, end: at, text }];
}

/** The line break and the indentation that an element has before it; empty when it follows something on its line. */
function lineBreakBefore(xml: string, at: number): string {
	return /\r?\n[ \t]*$/.exec(xml.slice(0, at))?.[0] ?? '';
}

const targetXml = ({ tap }: DomainNic): string => `<target dev="${escapeXml(tap)}" managed="no"></target>`;

/** As KubeVirt's converter writes it for an attachment of type tap. */
function interfaceXml(nic: DomainNic, lineBreak: string): string {
	const { model, mac, mtu } = nic;
	const inner = lineBreak === '' ? '' : `${lineBreak}${lineBreak.includes('\t') || /\n$/.test(lineBreak) ? '\t' : '  '}`;
	const virtio = model.startsWith('virtio');
	const members = [
		`<alias name="${escapeXml(aliasFor(nic))}"></alias>`,
		targetXml(nic),
		`<model type="${escapeXml(model)}"></model>`,
		...(mac === undefined ? [] : [`<mac address="${escapeXml(mac)}"></mac>`]),
		// KubeVirt tells the guest its MTU by virtio only.
		...(mtu === undefined || !virtio ? [] : [`<mtu size="${mtu}"></mtu>`]),
		...(virtio ? driverXml(nic) : []),
		'<rom enabled="no"></rom>',
	];
	return `<interface type="ethernet">${members.map((member) => inner + member).join('')}${lineBreak}</interface>`;
}

function driverXml({ queues, guestChecksums }: DomainNic): readonly string[] {
	const off = (names: readonly string[]): string => names.map((name) => ` ${name}="off"`).join('');
	const { host, guest } = disabledOffloads;
	const offloads = guestChecksums ? `<host${off(host)}></host><guest${off(guest)}></guest>` : '';
	if (queues === 1 && offloads === '') return [];
	return [`<driver${queues > 1 ? ` name="vhost" queues="${queues}"` : ''}>${offloads}</driver>`];
}
