import { describe, expect, it } from 'vitest';
import { parseKubeconfig } from './kubeconfig.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const yaml = `
current-context: one
clusters:
- name: c
  cluster: {server: "https://10.0.0.1:6443", certificate-authority-data: ${base64('CA')}, tls-server-name: kubernetes}
users:
- name: inline
  user: {client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}}
- name: files
  user: {tokenFile: token}
- name: plugin
  user: {exec: {command: aws}}
contexts:
- {name: one, context: {cluster: c, user: inline}}
- {name: two, context: {cluster: c, user: files, namespace: lab}}
- {name: three, context: {cluster: c, user: plugin}}
- {name: four, context: {cluster: missing}}
`;
const read = (file: string): string => `<${file}>\n`;

describe('kubeconfig', () => {
	it('reads inline data of the current context', () => {
		expect(parseKubeconfig(yaml, read)).toEqual({
			server: 'https://10.0.0.1:6443',
			serverName: 'kubernetes',
			ca: 'CA',
			clientCertificate: 'CERT',
			clientKey: 'KEY',
			namespace: 'default',
		});
	});

	it('reads named files and another context', () => {
		expect(parseKubeconfig(yaml, read, { context: 'two' })).toMatchObject({ token: '<token>', namespace: 'lab' });
	});

	it.each([
		['three', /credential plugins/],
		['four', /no cluster named "missing"/],
		['five', /no context named "five"/],
	])('refuses context %s', (context, message) => {
		expect(() => parseKubeconfig(yaml, read, { context })).toThrow(message);
	});
});
