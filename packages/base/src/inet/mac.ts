const colonHex = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** Reads six hexadecimal octets with colons and returns them in lower case. */
export function parseMac(text: string): string | undefined {
	const lower = text.toLowerCase();
	return colonHex.test(lower) ? lower : undefined;
}

/** False for group addresses (IEEE 802: the lowest bit of the first octet) and for the all-zero address, which no interface may have. */
export function isUnicastMac(mac: string): boolean {
	const octets = macToBytes(mac);
	return octets.length === 6 && ((octets[0] ?? 1) & 1) === 0 && octets.some((octet) => octet !== 0);
}

/** The text of a hardware address of six bytes. Throws RangeError for any other length. */
export function macFromBytes(bytes: Uint8Array): string {
	if (bytes.length !== 6) throw new RangeError(`a MAC address has 6 bytes, not ${bytes.length}`);
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** The bytes of a MAC address as parseMac returns it; no bytes when the text is not one. */
export function macToBytes(mac: string): Uint8Array {
	return Uint8Array.from(parseMac(mac)?.split(':') ?? [], (octet) => Number.parseInt(octet, 16));
}
