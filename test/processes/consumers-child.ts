/**
 * Has named consumers open and does what it is told: at `{ id, call, name, args }` it answers `{ id, answer }`, or `{ id, code }` where
 * the call was refused. `'open'` opens the consumer.
 */
import { type Consumer, type ConsumerOptions, DurostoreError, openStore } from '../../src/mod.js';
import { type Orders, orders, tell } from './child.js';

export interface Request {
  readonly id: number;
  readonly call: 'open' | 'nextMany' | 'commit' | 'close';
  readonly name: string;
  readonly args: readonly unknown[];
}

const { directory, options } = orders<Orders>();
const store = await openStore({ ...options, directory });
const consumers = new Map<string, Consumer>();

async function obey({ call, name, args }: Request): Promise<unknown> {
  if (call === 'open') {
    consumers.set(name, await store.consumer(name, args[0] as ConsumerOptions));
    return true;
  }
  const consumer = consumers.get(name);
  if (consumer === undefined) throw new Error(`${name} is not open`);
  if (call === 'nextMany') return (await consumer.nextMany(args[0] as number)).map(({ index }) => index);
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
