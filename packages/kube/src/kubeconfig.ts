import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CodedError } from '@tapestry/base';
import { parse } from 'yaml';

/** How to reach one API server as one identity. PEM texts, not file names. */
export interface ClusterConfig {
	/** `https://host:port`; `http:` is accepted for `kubectl proxy`. */
	readonly server: string;
	readonly ca?: string;
	/** The name that the server's certificate must carry, when it is not the host of `server`. */
	readonly serverName?: string;
	readonly insecure?: boolean;
	readonly token?: string;
	readonly clientCertificate?: string;
	readonly clientKey?: string;
	/** The context's namespace, else `default`. */
	readonly namespace: string;
}

interface Cluster {
	readonly server?: string;
	readonly 'tls-server-name'?: string;
	readonly 'insecure-skip-tls-verify'?: boolean;
	readonly 'certificate-authority'?: string;
	readonly 'certificate-authority-data'?: string;
}

interface User {
	readonly token?: string;
	readonly tokenFile?: string;
	readonly 'client-certificate'?: string;
	readonly 'client-certificate-data'?: string;
	readonly 'client-key'?: string;
	readonly 'client-key-data'?: string;
	readonly exec?: unknown;
	readonly 'auth-provider'?: unknown;
}

interface Context {
	readonly cluster?: string;
	readonly user?: string;
	readonly namespace?: string;
}

type Named<K extends string, V> = { readonly name?: string } & { readonly [key in K]?: V };

interface Kubeconfig {
	readonly 'current-context'?: string;
	readonly clusters?: readonly Named<'cluster', Cluster>[];
	readonly users?: readonly Named<'user', User>[];
	readonly contexts?: readonly Named<'context', Context>[];
}

/** Reads a kubeconfig file; relative file names in it are relative to it. Throws KUBE_CONFIG. */
export function loadKubeconfig(file: string, options: { readonly context?: string } = {}): ClusterConfig {
	try {
		return parseKubeconfig(readFileSync(file, 'utf8'), (name) => readFileSync(resolve(dirname(file), name), 'utf8'), options);
	} catch (error) {
		if (error instanceof CodedError) throw error;
		throw new CodedError('KUBE_CONFIG', { what: `cannot read the kubeconfig ${file}`, why: (error as Error).message }, { cause: error });
	}
}

/** `read` returns the text of a file that the kubeconfig names. Throws KUBE_CONFIG for anything that is missing or not supported. */
export function parseKubeconfig(yaml: string, read: (file: string) => string, options: { readonly context?: string } = {}): ClusterConfig {
	const config = (parse(yaml) ?? {}) as Kubeconfig;
	const contextName = options.context ?? config['current-context'] ?? '';
	const context = find(config.contexts, 'context', contextName);
	const cluster = find(config.clusters, 'cluster', context.cluster ?? '');
	const user: User = context.user ? find(config.users, 'user', context.user) : {};
	if (!cluster.server) throw invalid(`cluster "${context.cluster}" has no server`);
	if (user.exec !== undefined || user['auth-provider'] !== undefined) {
		throw new CodedError('KUBE_CONFIG', {
			what: `user "${context.user}" cannot be used`,
			why: 'credential plugins (exec, auth-provider) are not supported',
			fix: 'use a token or a client certificate, for example of a ServiceAccount',
		});
	}
	const text = (data: string | undefined, file: string | undefined): string | undefined =>
		data ? Buffer.from(data, 'base64').toString('utf8') : file ? read(file) : undefined;
	return defined({
		server: cluster.server,
		serverName: cluster['tls-server-name'],
		insecure: cluster['insecure-skip-tls-verify'],
		ca: text(cluster['certificate-authority-data'], cluster['certificate-authority']),
		token: user.token ?? (user.tokenFile ? read(user.tokenFile).trim() : undefined),
		clientCertificate: text(user['client-certificate-data'], user['client-certificate']),
		clientKey: text(user['client-key-data'], user['client-key']),
		namespace: context.namespace ?? 'default',
	});
}

function find<K extends string, V>(entries: readonly Named<K, V>[] | undefined, kind: K, name: string): V {
	const found = entries?.find((entry) => entry.name === name)?.[kind];
	if (found === undefined) throw invalid(`there is no ${kind} named "${name}"`);
	return found as V;
}

function invalid(why: string): CodedError {
	return new CodedError('KUBE_CONFIG', {
		what: 'the kubeconfig is not usable',
		why,
		fix: 'check it with: kubectl config view --minify',
	});
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
	[K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function defined<T extends object>(value: T): Defined<T> {
	return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}
