import { Planner } from '../../plan/planner.ts';
import { MemoryDatabase } from '../../plan/testing/memory-database.ts';
import { nbSchema } from '../../schema/nb.generated.ts';
import type { Row } from '../../schema/wire.ts';
import type { World } from '../../world/world.ts';
import { Compiler } from '../compiler.ts';

/** A world, its compiler, and a database that the planner keeps equal to it. */
export function follow(world: World) {
	const compiler = new Compiler(world);
	const planner = new Planner(nbSchema);
	const database = new MemoryDatabase(nbSchema);
	const compiled: string[] = [];
	const update = () => {
		for (const [owner, fragment] of compiler.update()) {
			compiled.push(owner);
			planner.want(owner, fragment);
		}
		while (planner.hasDirty) planner.observe(database.transact(planner.plan(planner.takeDirty()).operations));
		return compiled.splice(0);
	};
	update();
	return { update, database, planner };
}

export function rows(database: MemoryDatabase, table: string): Row[] {
	return [...(database.tables[table]?.values() ?? [])];
}
