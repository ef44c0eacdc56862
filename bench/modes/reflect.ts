/**
 * Turns a frame round as the machine at `mac` would answer it: ARP and neighbour requests for any address, ICMP echoes, and every datagram that is
 * not ICMP, fragments included, by exchanging the two ends. No checksum changes by an exchange. The frame is changed in place; false when there is
 * nothing to answer. Frames begin at their Ethernet header.
 */
export function reflect(frame: Buffer, mac: Uint8Array): boolean {
	if (frame.length < 34) return false;
	switch (frame.readUInt16BE(12)) {
		case 0x0806:
			return answerArp(frame, mac);
		case 0x0800:
			return turnIpv4(frame) && turnEthernet(frame, mac);
		case 0x86dd:
			return turnIpv6(frame) && turnEthernet(frame, mac);
		default:
			return false;
	}
}

function turnEthernet(frame: Buffer, mac: Uint8Array): boolean {
	// Broadcasts are nobody's conversation.
	if ((frame[0] ?? 1) & 1) return false;
	frame.copy(frame, 0, 6, 12);
	frame.set(mac, 6);
	return true;
}

/** RFC 826: a request becomes the reply that the asked address is here. */
function answerArp(frame: Buffer, mac: Uint8Array): boolean {
	if (frame.readUInt16BE(20) !== 1) return false;
	frame.copy(frame, 0, 6, 12);
	frame.set(mac, 6);
	frame.writeUInt16BE(2, 20);
	const asked = Buffer.from(frame.subarray(38, 42));
	frame.copy(frame, 32, 22, 32);
	frame.set(mac, 22);
	asked.copy(frame, 28);
	return true;
}

function turnIpv4(frame: Buffer): boolean {
	const header = ((frame[14] ?? 0) & 15) * 4;
	const protocol = frame[23];
	// The answer to an announcement would begin an endless exchange.
	if (isMulticast(frame[30])) return false;
	exchange(frame, 26, 30, 4);
	const isFirst = (frame.readUInt16BE(20) & 0x1fff) === 0;
	return !isFirst || turnTransport(frame, 14 + header, protocol ?? 0);
}

function turnIpv6(frame: Buffer): boolean {
	if (frame.length < 54 || frame[38] === 0xff) return false;
	exchange(frame, 22, 38, 16);
	// RFC 8200 4.5: only the first fragment has the ports.
	if (frame[20] !== 44) return turnTransport(frame, 54, frame[20] ?? 0);
	return frame.readUInt16BE(56) >>> 3 !== 0 || turnTransport(frame, 62, frame[54] ?? 0);
}

function turnTransport(frame: Buffer, at: number, protocol: number): boolean {
	if (frame.length < at + 8) return false;
	if (protocol === 17) {
		exchange(frame, at, at + 2, 2);
		return true;
	}
	if (protocol === 1) return turnEcho(frame, at, 8, 0);
	if (protocol === 58) return turnEcho(frame, at, 128, 129);
	return false;
}

function turnEcho(frame: Buffer, at: number, request: number, reply: number): boolean {
	if (frame[at] !== request) return false;
	frame[at] = reply;
	// RFC 1624: the sum grows by what the type fell.
	const sum = frame.readUInt16BE(at + 2) + (request - reply) * 256;
	frame.writeUInt16BE(((sum & 0xffff) + Math.floor(sum / 65_536)) & 0xffff, at + 2);
	return true;
}

function exchange(frame: Buffer, a: number, b: number, length: number): void {
	for (let i = 0; i < length; i++) {
		const byte = frame[a + i] ?? 0;
		frame[a + i] = frame[b + i] ?? 0;
		frame[b + i] = byte;
	}
}

function isMulticast(first: number | undefined): boolean {
	return first === undefined || first >= 224;
}
