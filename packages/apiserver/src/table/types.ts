/** A printer column of a CustomResourceDefinition (`spec.versions[].additionalPrinterColumns[]`). */
export interface PrinterColumn {
	readonly name: string;
	readonly type: string;
	readonly jsonPath: string;
	readonly format?: string;
	readonly description?: string;
	readonly priority?: number;
}

export interface TableKind {
	readonly group: string;
	readonly version: string;
	readonly kind: string;
	readonly columns?: readonly PrinterColumn[];
}

export interface TableColumn {
	readonly name: string;
	readonly type: string;
	readonly format: string;
	readonly description: string;
	/** 0 is always shown, others only by `-o wide`. */
	readonly priority: number;
}

export type Cell = string | number | boolean | null;

export interface TableRow {
	readonly cells: readonly Cell[];
	readonly object?: object;
}

/** meta.k8s.io/v1 Table. The caller adds the list's `metadata`. */
export interface Table {
	readonly kind: 'Table';
	readonly apiVersion: 'meta.k8s.io/v1';
	readonly metadata: { readonly resourceVersion?: string; readonly continue?: string; readonly remainingItemCount?: number };
	readonly columnDefinitions: readonly TableColumn[];
	readonly rows: readonly TableRow[];
}

/** Query parameter `includeObject`. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';
