import type { Store } from '../../src/store/contract.js';
import { bytes } from './records.js';

async function* one(): AsyncGenerator<Uint8Array, void> {
  yield bytes('x');
}

/** Every method of a store that takes part in the contract, with arguments that are right. */
export function storeCalls(store: Store): [name: string, call: () => Promise<unknown>][] {
  return [
    ['write', () => store.write(bytes('x'))],
    ['writeMany', () => store.writeMany([bytes('x')])],
    ['writeMany, empty', () => store.writeMany([])],
    ['writeStream', () => store.writeStream(one())],
    ['readStream', () => store.readStream(1)],
    ['read', () => store.read()],
    ['read(index)', () => store.read(1)],
    ['entry', () => store.entry(1)],
    ['entries', () => store.entries().next()],
    ['entries, following', () => store.entries({ follow: true }).next()],
    ['delete', () => store.delete(1)],
    ['delete, nothing', () => store.delete([])],
    ['deleteFirst', () => store.deleteFirst()],
    ['prune', () => store.prune()],
    ['firstIndex', () => store.firstIndex()],
    ['nextIndex', () => store.nextIndex()],
    ['length', () => store.length()],
    ['size', () => store.size()],
    ['stats', () => store.stats()],
    ['refresh', () => store.refresh()],
    ['sync', () => store.sync()],
    ['consumer', () => store.consumer('mail')],
    ['consumers', () => store.consumers()],
    ['removeConsumer', () => store.removeConsumer('mail')],
  ];
}
