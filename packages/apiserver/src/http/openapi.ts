import { apiVersionOf } from '@tapestry/kube';
import { type OpenApiKind, openApiV2, openApiV3Group, openApiV3Index } from '../openapi/index.ts';
import type { Registry } from '../registry/registry.ts';
import type { Exchange } from './exchange.ts';
import { noSuchPath } from './path.ts';

/** Clients ask for `...v2@v1.0+protobuf`, but Go's mime package refuses an `@` in the answer; kube-apiserver writes this, too. */
const protobuf = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** Serves /openapi/v2 and /openapi/v3. Documents are built when asked for and kept until the kinds change. */
export function createOpenApi(registry: Registry): (exchange: Exchange) => void {
	let documents = new Map<string, unknown>();
	registry.onChange(() => {
		documents = new Map();
	});
	const cached = <T>(key: string, build: () => T): T => {
		if (!documents.has(key)) documents.set(key, build());
		return documents.get(key) as T;
	};
	return (exchange) => {
		const { path } = exchange;
		if (path === '/openapi/v2') {
			const document = cached(path, () => openApiV2(kindsOf(registry)));
			if (exchange.request.headers.accept?.includes('proto-openapi.spec.v2')) exchange.send(200, protobuf, document.protobuf);
			else exchange.json(200, document.json);
			return;
		}
		if (path === '/openapi/v3')
			return exchange.json(
				200,
				cached(path, () => openApiV3Index(registry.endpoints())),
			);
		const match = /^\/openapi\/v3\/(?:api|apis)\/(.+)$/.exec(path);
		const kinds = kindsOf(registry).filter((kind) => apiVersionOf(kind) === match?.[1]);
		if (kinds.length === 0) throw noSuchPath();
		exchange.json(
			200,
			cached(path, () => openApiV3Group(kinds)),
		);
	};
}

function kindsOf(registry: Registry): OpenApiKind[] {
	return registry.endpoints().map(({ group, version, schema, kind }) => ({
		group,
		version,
		kind: kind.kind,
		plural: kind.plural,
		namespaced: kind.namespaced,
		...(schema && kind.custom ? { schema: schema.source } : {}),
	}));
}
