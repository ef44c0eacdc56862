import type { gvkExtension } from './names.ts';
import type { V2Schema } from './v2-schema.ts';

export interface V2Operation {
	readonly parameters: readonly { readonly name: string; readonly in: 'query'; readonly type: 'string' }[];
	readonly responses: object;
	readonly [gvkExtension]: object;
}

export interface V2Document {
	readonly swagger: '2.0';
	readonly info: { readonly title: string; readonly version: string };
	readonly paths: Readonly<Record<string, { readonly patch: V2Operation }>>;
	readonly definitions: Readonly<Record<string, V2Schema>>;
}
