import { describe, expect, it } from 'vitest';
import { decodeProtobuf } from './protobuf.ts';

/** Writes what Go's clients would: strings and nested fields by length, numbers as varints. */
type Value = string | number | boolean | readonly (readonly [number, Value])[];

function encode(fields: readonly (readonly [number, Value])[]): Buffer {
	return Buffer.concat(
		fields.map(([number, value]) => {
			if (typeof value === 'number' || typeof value === 'boolean') return Buffer.concat([varint(number * 8), varint(Number(value))]);
			const bytes = typeof value === 'string' ? Buffer.from(value) : encode(value);
			return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
		}),
	);
}

function varint(value: number): Buffer {
	const bytes: number[] = [];
	let left = value;
	for (; left > 0x7f; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
	return Buffer.from([...bytes, left]);
}

function body(apiVersion: string, kind: string, fields: readonly (readonly [number, Value])[]): Buffer {
	const raw = encode(fields).toString('latin1');
	const envelope = Buffer.concat([
		encode([
			[
				1,
				[
					[1, apiVersion],
					[2, kind],
				],
			],
		]),
		varint(2 * 8 + 2),
		varint(raw.length),
		Buffer.from(raw, 'latin1'),
	]);
	return Buffer.concat([Buffer.from('k8s\0'), envelope]);
}

describe('decodeProtobuf', () => {
	it('reads metadata, maps, bytes and times, and leaves out what Go leaves out of JSON', () => {
		const metadata = [
			[1, 'a'],
			[2, ''],
			[3, 'default'],
			[7, 0],
			[8, []],
			[9, [[1, 1_767_225_600]]],
			[
				11,
				[
					[1, 'x'],
					[2, 'y'],
				],
			],
			[
				11,
				[
					[1, 'empty'],
					[2, ''],
				],
			],
		] as const;
		expect(
			decodeProtobuf(
				body('v1', 'Secret', [
					[1, metadata],
					[
						2,
						[
							[1, 'key'],
							[2, 'value'],
						],
					],
					[3, 'Opaque'],
					[5, false],
				]),
			),
		).toEqual({
			apiVersion: 'v1',
			kind: 'Secret',
			metadata: { name: 'a', namespace: 'default', deletionTimestamp: '2026-01-01T00:00:00Z', labels: { x: 'y', empty: '' } },
			data: { key: Buffer.from('value').toString('base64') },
			type: 'Opaque',
			immutable: false,
		});
	});

	it('reads lists, inlined fields, pointers to zero, quantities and ports by number or name', () => {
		const probe = [
			[
				1,
				[
					[
						2,
						[
							[
								2,
								[
									[1, 0],
									[2, 8080],
								],
							],
						],
					],
				],
			],
			[2, 0],
		] as const;
		const container = [
			[1, 'main'],
			[
				8,
				[
					[
						1,
						[
							[1, 'cpu'],
							[2, [[1, '500m']]],
						],
					],
				],
			],
			[10, probe],
		] as const;
		const spec = [
			[2, container],
			[4, 0],
			[
				1,
				[
					[1, 'scratch'],
					[2, [[2, []]]],
				],
			],
			[11, false],
		] as const;
		expect(decodeProtobuf(body('v1', 'Pod', [[2, spec]]))).toEqual({
			apiVersion: 'v1',
			kind: 'Pod',
			spec: {
				containers: [{ name: 'main', resources: { limits: { cpu: '500m' } }, livenessProbe: { httpGet: { port: 8080 } } }],
				terminationGracePeriodSeconds: 0,
				volumes: [{ name: 'scratch', emptyDir: {} }],
			},
		});
		const port = (target: Value): unknown =>
			decodeProtobuf(
				body('v1', 'Service', [
					[
						2,
						[
							[
								1,
								[
									[3, 80],
									[4, target],
								],
							],
						],
					],
				]),
			);
		expect(
			port([
				[1, 1],
				[2, 0],
				[3, 'http'],
			]),
		).toMatchObject({ spec: { ports: [{ port: 80, targetPort: 'http' }] } });
	});

	it('knows DeleteOptions under the version of its group, and passes over unknown fields', () => {
		expect(
			decodeProtobuf(
				body('policy/v1', 'DeleteOptions', [
					[1, 0],
					[4, 'Foreground'],
					[99, 'new'],
				]),
			),
		).toEqual({
			apiVersion: 'policy/v1',
			kind: 'DeleteOptions',
			gracePeriodSeconds: 0,
			propagationPolicy: 'Foreground',
		});
	});

	it('refuses what is broken or unknown', () => {
		const whole = body('v1', 'ConfigMap', [[1, [[1, 'a']]]]);
		for (let length = 0; length < whole.length; length++) {
			try {
				decodeProtobuf(whole.subarray(0, length));
			} catch (error) {
				expect(error).toMatchObject({ reason: 'BadRequest' });
			}
		}
		expect(() => decodeProtobuf(Buffer.from('{}'))).toThrow('not a well-formed protobuf message');
		expect(() => decodeProtobuf(body('v1', 'Unicorn', []))).toThrow('Unicorn of v1 is not accepted as protobuf');
	});
});
