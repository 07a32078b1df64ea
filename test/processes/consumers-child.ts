/**
 * Has named consumers open and does what it is told: at `{ id, call, name, args }` it answers `{ id, answer }`, or `{ id, code }` where
 * the call was refused. `'open'` opens the consumer; `'follow'` reads to a last index and answers with what came, as ranges.
 */
import { type Consumer, type ConsumerOptions, DurostoreError, openStore } from '../../src/mod.js';
import { type Orders, orders, tell } from './child.js';

export interface Request {
  readonly id: number;
  readonly call: 'open' | 'nextMany' | 'commit' | 'close' | 'follow';
  readonly name: string;
  readonly args: readonly unknown[];
}

const { directory, options } = orders<Orders>();
const store = await openStore({ ...options, directory });
const consumers = new Map<string, Consumer>();

/** Both in turns: one at a time, and as many as there are. Commits as it goes. */
async function follow(consumer: Consumer, last: number): Promise<[number, number][]> {
  const ranges: [number, number][] = [];
  const wait = { waitMs: Number.POSITIVE_INFINITY };
  for (let reached = 0, turn = 0; reached < last; turn++) {
    const got = turn % 3 === 0 ? [await consumer.next(wait)] : await consumer.nextMany(100, wait);
    for (const entry of got) {
      if (entry === undefined || Buffer.from(entry.data).toString() !== `record ${entry.index}`)
        throw new Error(`${entry?.index} is another`);
      reached = entry.index;
      const range = ranges[ranges.length - 1];
      if (range !== undefined && range[1] + 1 === reached) range[1] = reached;
      else ranges.push([reached, reached]);
    }
    if (turn % 10 === 0) await consumer.commit();
  }
  await consumer.commit();
  return ranges;
}

async function obey({ call, name, args }: Request): Promise<unknown> {
  if (call === 'open') {
    consumers.set(name, await store.consumer(name, args[0] as ConsumerOptions));
    return true;
  }
  const consumer = consumers.get(name);
  if (consumer === undefined) throw new Error(`${name} is not open`);
  if (call === 'nextMany') return (await consumer.nextMany(args[0] as number)).map(({ index }) => index);
  if (call === 'follow') return follow(consumer, args[0] as number);
  return call === 'commit' ? consumer.commit(args[0] as number | undefined) : consumer.close();
}

process.on('disconnect', () => process.exit(1));
process.on('message', async (request: Request) => {
  try {
    await tell({ id: request.id, answer: await obey(request) });
  } catch (error) {
    await tell({ id: request.id, code: error instanceof DurostoreError ? error.code : String(error) });
  }
});
await tell({ opened: true });
