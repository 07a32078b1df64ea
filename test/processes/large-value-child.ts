/**
 * Writes a value of many mebibytes as a stream, or reads it, and tells how much memory it took. The bytes follow from their
 * place, so that what is read can be judged.
 */
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { openStore } from '../../src/mod.js';

export interface LargeValueOrders {
  readonly directory: string;
  readonly mebibytes: number;
  readonly what: 'write' | 'read' | 'follow';
}

/** What such a program says before it ends. */
export interface LargeValueDone {
  readonly index: number;
  readonly digest: string;
  readonly peakBytes: number;
}

const MIB = 1024 * 1024;

const { directory, mebibytes, what } = JSON.parse(process.argv[2] ?? '{}') as LargeValueOrders;
const hash = createHash('sha256');

async function* source(): AsyncGenerator<Uint8Array, void> {
  const piece = Buffer.alloc(MIB);
  for (let at = 0; at < mebibytes; at++) {
    for (let word = 0; word < MIB; word += 4096) piece.writeUInt32LE((at * 256 + word / 4096) >>> 0, word);
    hash.update(piece);
    yield piece;
  }
}

setFlagsFromString('--max-old-space-size=64');
const store = await openStore({ directory, durability: 'written' });
let index = 1;
if (what === 'write') index = await store.writeStream(source());
else for await (const piece of (await store.readStream(1)) ?? []) hash.update(piece);
await store.close();
const done: LargeValueDone = {
  index,
  digest: hash.digest('hex'),
  peakBytes: process.resourceUsage().maxRSS * 1024,
};
console.log(JSON.stringify(done));
