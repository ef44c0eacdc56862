import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DomainNic, placeNics } from './domain-nics.ts';
import { scanXml, textOf, type XmlElement } from './scan-xml.ts';

const nic: DomainNic = {
	network: 'default',
	tap: 'vmt0',
	model: 'virtio-non-transitional',
	mac: '02:00:00:00:00:01',
	mtu: 1400,
	queues: 1,
	guestChecksums: false,
};
const domain = (devices: string): string =>
	`<domain type="kvm" xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">\n\t<name>ns_vm</name>\n\t<devices>${devices}</devices>\n</domain>`;
const place = (xml: string, ...nics: readonly DomainNic[]) => placeNics(xml, 'ns_vm', nics.length > 0 ? nics : [nic]);

describe('placeNics', () => {
	it("adds what is not there, in KubeVirt's shape", () => {
		const disk = '\n\t\t<disk></disk>';
		expect(place(domain(`${disk}\n\t`), { ...nic, queues: 4 })).toBe(
			domain(
				[
					disk,
					'<interface type="ethernet">',
					'\t<alias name="ua-default"></alias>',
					'\t<target dev="vmt0" managed="no"></target>',
					'\t<model type="virtio-non-transitional"></model>',
					'\t<mac address="02:00:00:00:00:01"></mac>',
					'\t<mtu size="1400"></mtu>',
					'\t<driver name="vhost" queues="4"></driver>',
					'\t<rom enabled="no"></rom>',
					'</interface>\n\t',
				].join('\n\t\t'),
			),
		);
	});

	it('offers the guest nothing to leave its checksums to, where nobody would see to them', () => {
		const added = place(domain(''), { ...nic, guestChecksums: true });
		expect(added).toMatch(/<driver><host csum="off" gso="off" [^>]*><\/host><guest csum="off" [^>]*><\/guest><\/driver>/);
		expect(place(domain(''), { ...nic, queues: 2, guestChecksums: true })).toContain('<driver name="vhost" queues="2"><host csum="off"');
	});

	it('leaves out what a NIC that is not virtio does not have', () => {
		const added = place(domain(''), { ...nic, model: 'e1000e', queues: 4, mac: undefined });
		expect(added).not.toMatch(/<(mtu|driver|mac)/);
		expect(added).toContain('<model type="e1000e">');
	});

	it('fills devices that are one tag', () => {
		const xml = '<domain><name>ns_vm</name><devices/></domain>';
		expect(place(xml)).toMatch(/^<domain><name>ns_vm<\/name><devices><interface type="ethernet">.*<\/interface><\/devices><\/domain>$/);
	});

	it('changes only the target of an interface that is there', () => {
		const before =
			"\n <interface  type='ethernet' ><!-- <target dev='x'/> --><mac address='02:00:00:00:00:09'/><target managed='no' dev='tap0'/>\n<alias\n name='ua-default'/><unknown/></interface>";
		expect(place(domain(before))).toBe(
			domain(before.replace("<target managed='no' dev='tap0'/>", '<target dev="vmt0" managed="no"></target>')),
		);
	});

	it('gives a target to one that has none, and another type to one of another type', () => {
		const alias = '<alias name="ua-default"/>';
		expect(place(domain(`<interface type="ethernet">${alias}</interface>`))).toContain(`${alias}<target dev="vmt0" managed="no"></target>`);
		const replaced = place(domain(`<interface type="vhostuser">${alias}<source/></interface>`));
		expect(replaced).toContain('<interface type="ethernet">');
		expect(replaced).not.toContain('<source/>');
	});

	it('does not touch placeholders and NICs of others', () => {
		const others =
			'<interface type="ethernet"><alias name="placeholder-0"/></interface><interface type="bridge"><alias name="ua-other"/></interface>';
		expect(place(domain(others))).toContain(others);
	});

	it.each([
		['another root', '<network><name>ns_vm</name><devices/></network>'],
		["another machine's", '<domain><name>ns_other</name><devices/></domain>'],
		['no name', '<domain><devices/></domain>'],
		['no devices', '<domain><name>ns_vm</name></domain>'],
		['devices twice', '<domain><name>ns_vm</name><devices/><devices/></domain>'],
		['an alias twice', domain('<interface><alias name="ua-default"/></interface>'.repeat(2))],
	])('refuses XML with %s', (_, xml) => {
		expect(() => place(xml)).toThrow(expect.objectContaining({ code: 'HOOK_DOMAIN' }));
	});

	it.each([
		['nothing', ''],
		['no XML', 'hello'],
		['a document type', '<!DOCTYPE d [<!ENTITY a "b">]><domain/>'],
		['an element without an end', '<domain><name>'],
		['tags that cross', '<a><b></a></b>'],
		['two roots', '<a/><b/>'],
		['text behind the root', '<a/>x'],
		['an attribute without quotes', '<a b=c/>'],
		['an attribute twice', '<a b="1" b="2"/>'],
		['a comment without an end', '<a><!-- </a>'],
		['too deep nesting', '<a>'.repeat(100) + '</a>'.repeat(100)],
	])('refuses %s', (_, xml) => {
		expect(() => place(xml)).toThrow(expect.objectContaining({ code: 'XML_MALFORMED' }));
	});

	it('writes names as text', () => {
		const odd = { ...nic, network: `a"'<&>` };
		const [found] = interfacesOf(place(domain(''), odd));
		expect(found?.children.find(({ name }) => name === 'alias')?.attributes.get('name')?.value).toBe(`ua-a"'<&>`);
	});
});

function interfacesOf(xml: string): readonly XmlElement[] {
	const devices = scanXml(xml).children.find(({ name }) => name === 'devices');
	return (devices?.children ?? []).filter(({ name }) => name === 'interface');
}

// Documents as nobody would write them, but might.
const space = fc.stringMatching(/^[ \t\n]{0,3}$/);
const gap = fc.oneof(
	space,
	fc.constantFrom('<!-- a > b <devices> -->', '<!---->', '<![CDATA[<target dev="tap0"/> ]] > &amp;]]>', '<?pi a="<"?>', 'text &lt;&#65; é'),
);
const attributes = fc.shuffledSubarray(['id="1"', "b='&quot;<x'".replace('<x', 'x'), 'managed="yes"', "c = '>'"], { minLength: 0 });
const leaf = fc.tuple(fc.constantFrom('disk', 'qemu:arg', 'target', 'x-y.z'), attributes, gap).map(([name, list, inner]) => {
	const written = list.map((one) => ` ${one}`).join('');
	return inner === '' ? `<${name}${written}/>` : `<${name}${written}>${inner}</${name} >`;
});
const spread = (parts: fc.Arbitrary<string>) =>
	fc.array(fc.tuple(gap, parts), { maxLength: 5 }).map((pairs) => pairs.map(([before, part]) => before + part).join(''));
const target = fc.tuple(space, fc.constantFrom("dev='tap0'", 'dev = "tap1"'), fc.boolean()).map(([blank, dev, first]) => {
	const list = first ? [dev, "managed='no'"] : ["managed='yes'", dev];
	return `<target ${list.join(' ')}${blank}/>`;
});
const own = fc
	.tuple(spread(leaf.filter((text) => !text.startsWith('<target'))), gap, target, gap, space)
	.map(([before, a, place, b, blank]) => ({
		before: `<interface${blank} type='ethernet'>${before}${a}`,
		target: place,
		after: `${b}<alias${blank} name="ua-default" /></interface>`,
	}));
const around = fc.tuple(
	gap.filter((text) => !/text|CDATA/.test(text)),
	spread(leaf),
	spread(leaf),
	spread(leaf),
	gap,
);

it('changes nothing but the target, whatever stands around it', () => {
	fc.assert(
		fc.property(around, own, ([prolog, outer, before, after, end], mine) => {
			const head = `${prolog}<domain type = 'kvm'>${outer}<name>ns_<!-- -->vm</name><devices>${before}${mine.before}`;
			const tail = `${mine.after}${after}${end}</devices>${end}</domain>`;
			const placed = place(head + mine.target + tail);
			expect(placed).toBe(`${head}<target dev="vmt0" managed="no"></target>${tail}`);
			expect(place(placed)).toBe(placed);
		}),
	);
});

it('adds one interface and changes nothing else, however often it is called', () => {
	fc.assert(
		fc.property(around, ([prolog, outer, before, after, end]) => {
			const xml = `${prolog}<domain>${outer}<name>ns_vm</name><devices>${before}${after}${end}</devices>${end}</domain>`;
			const placed = place(xml);
			const [added, ...more] = interfacesOf(placed);
			expect(more).toEqual([]);
			const { start = 0, end: stop = 0 } = added ?? {};
			const without = placed.slice(0, start).replace(/\n[ \t]*$/, '') + placed.slice(stop);
			expect([without, placed.slice(0, start) + placed.slice(stop)]).toContain(xml);
			expect(place(placed)).toBe(placed);
		}),
	);
});

it('reads text without comments, with CDATA as it is', () => {
	const xml = '<a>b<!-- c -->&amp;<![CDATA[<&amp;]]>&#x41;</a>';
	expect(textOf(xml, scanXml(xml))).toBe('b&<&amp;A');
});
