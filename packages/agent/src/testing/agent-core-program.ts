import { Namespace, openRoute } from '@tapestry/linux';
import { startAgent } from './agent-under-test.ts';
import { connectTo } from './mini-node.ts';

/* The agent's core on a mini node, to be killed: `agent-core-program.ts NAMESPACE DIRECTORY RUN-DIRECTORY` prints "up" when it has taken up what there is. */

const [name = '', dir = '', run = ''] = process.argv.slice(2);
const namespace = Namespace.open(`/run/netns/${name}`);
await startAgent({ host: { namespace, route: openRoute(namespace) }, run, connect: () => connectTo(dir) });
process.stdout.write('up\n');
