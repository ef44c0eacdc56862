import { formatCidr } from '@tapestry/base';
import { expect, it } from 'vitest';
import { cidrsFlag, hostPortFlag, numberFlag, requiredFlag } from './flags.ts';

it('reads what flags say', () => {
	expect(requiredFlag('node', 'n1')).toBe('n1');
	expect(cidrsFlag('service-cidr', '10.96.0.0/16, fd00:10:96::/112').map(formatCidr)).toEqual(['10.96.0.0/16', 'fd00:10:96::/112']);
	expect(hostPortFlag('listen', '127.0.0.1:6443')).toEqual({ host: '127.0.0.1', port: 6443 });
	expect(hostPortFlag('listen', '[fd00::5]:0')).toEqual({ host: 'fd00::5', port: 0 });
	expect(numberFlag('mtu', '1442', { min: 68 })).toBe(1442);
	expect(numberFlag('grace', '0.5', { min: 0, decimals: true })).toBe(0.5);
});

it.each([
	() => requiredFlag('node', undefined),
	() => requiredFlag('node', ''),
	() => cidrsFlag('service-cidr', '10.96.0.0/16,'),
	() => cidrsFlag('service-cidr', 'ten'),
	() => hostPortFlag('listen', '6443'),
	() => hostPortFlag('listen', 'fd00::5:6443'),
	() => numberFlag('mtu', '67', { min: 68 }),
	() => numberFlag('mtu', '', { min: 0 }),
	() => numberFlag('mtu', '1442.5', { min: 68 }),
	() => numberFlag('grace', 'Infinity', { min: 0, decimals: true }),
])('refuses what cannot be meant: %s', (read) => {
	expect(read).toThrow(expect.objectContaining({ code: 'FLAG_INVALID' }));
});
