import type { Signal } from '@tapestry/base';
import { type Operation, type OperationResult, type OvsOpenVSwitch, ovsSchema } from '@tapestry/network';
import { waitFor } from '../wait-for.ts';
import { stillPlugged } from './bridge-errors.ts';
import type { BridgeRows } from './bridge-rows.ts';

/**
 * Which devices Open vSwitch was told to let go of, and whether it has. If it saw a removal, and the port of the same name that comes next, as one change,
 * it would stay with the device that it has open, although that may be another one by now.
 */
export class Removals {
	readonly #rows: BridgeRows;
	/** By device: the configuration in which it is not plugged in any more (ovs-vswitchd.conf.db(5), Open_vSwitch next_cfg). */
	readonly #configurations = new Map<string, number>();
	/** By device: a removal that the database has not answered yet, though the copy may show it. */
	readonly #underWay = new Map<string, Promise<void>>();

	constructor(rows: BridgeRows) {
		this.#rows = rows;
	}

	/** The columns that have to be known. */
	static readonly columns = ['cur_cfg', 'next_cfg'] as const;

	/** The last operations of a transaction that removes a device: they ask Open vSwitch to say when it has carried that out. */
	get operations(): readonly Operation[] {
		return [
			{ op: 'mutate', table: ovsSchema.name, where: [], mutations: [['next_cfg', '+=', 1]] },
			{ op: 'select', table: ovsSchema.name, where: [], columns: ['next_cfg'] },
		];
	}

	/** Resolves with the transaction, whose last operations are those above. */
	async follow(device: string, transaction: Promise<readonly OperationResult[]>): Promise<void> {
		const removal = transaction.then((results) => {
			for (const [gone, configuration] of this.#configurations) if (this.#isApplied(configuration)) this.#configurations.delete(gone);
			this.#configurations.set(device, Number(results.at(-1)?.rows?.[0]?.next_cfg));
		});
		const ended = removal.catch(() => {});
		this.#underWay.set(device, ended);
		await removal.finally(() => {
			if (this.#underWay.get(device) === ended) this.#underWay.delete(device);
		});
	}

	/** Resolves when Open vSwitch has let go of a device, at once for one that was not removed. @throws AGENT_OVS_PORT when the signal is aborted first */
	async applied(device: string, signal: Signal = new AbortController().signal): Promise<void> {
		await this.#underWay.get(device);
		const configuration = this.#configurations.get(device);
		if (configuration === undefined) return;
		await this.#rows.settled({ signal });
		await waitFor(
			(listener) => this.#rows.onChange(listener),
			() => this.#isApplied(configuration) || undefined,
			signal,
			() => stillPlugged(device, signal),
		);
		this.#configurations.delete(device);
	}

	/** A database that was made anew counts from nothing: its Open vSwitch has no former device open. */
	#isApplied(configuration: number): boolean {
		const [root] = this.#rows.all<OvsOpenVSwitch>(ovsSchema.name);
		return root !== undefined && (root.cur_cfg >= configuration || root.next_cfg < configuration);
	}
}
