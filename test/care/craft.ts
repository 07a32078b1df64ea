import type { MemoryDisk } from '../../src/disk/memory.js';
import { encodeFileHeader, HeaderKind } from '../../src/frame/file-header.js';
import { completeHead, placeOf, saltOf } from '../../src/frame/frame.js';
import { Batch } from '../../src/segment/batch.js';
import { encodeSeal } from '../../src/segment/seal.js';
import { bytes } from '../store/records.js';
import { DIRECTORY, data, payload } from './store.js';

/** Writes files byte by byte, for what no opener would write. */
export class Craft {
  readonly machine: MemoryDisk;

  constructor(machine: MemoryDisk) {
    this.machine = machine;
  }

  get storeId(): Buffer {
    const meta = Buffer.from(this.machine.bytes(`${DIRECTORY}/duro.meta`) ?? []).toString();
    return Buffer.from((JSON.parse(meta) as { id: string }).id, 'hex');
  }

  get salt(): number {
    return saltOf(this.storeId);
  }

  bytes(path: string): Buffer {
    return Buffer.from(this.machine.bytes(path) ?? []);
  }

  put(path: string, content: Uint8Array): void {
    this.machine.put(path, content);
  }

  remove(path: string): void {
    const opener = this.machine.opener();
    opener.unlink(path);
    opener.syncDirectoryNow(DIRECTORY);
    this.machine.kill(opener);
  }

  /** Leaves so many bytes of a file. */
  cut(path: string, length: number): void {
    this.put(path, this.bytes(path).subarray(0, length));
  }

  /** Puts bytes behind so many of a file's. */
  append(path: string, content: Uint8Array, at: number = this.bytes(path).length): void {
    this.put(path, Buffer.concat([this.bytes(path).subarray(0, at), content]));
  }

  /** A record's frame for a position. */
  record(position: number, index: number, { safe = 0, time = 1, text = payload(index) } = {}): Buffer {
    const batch = new Batch();
    batch.begin();
    batch.add(bytes(text));
    completeHead(batch.bytes, 0, placeOf(this.salt, position), index, time, safe);
    return Buffer.from(batch.bytes.subarray(0, batch.length));
  }

  seal(position: number, count: number, next: number, safe = 0): Buffer {
    const summary = { count, firstTime: 1, lastTime: 1, greatestTime: 1, marked: false };
    return encodeSeal(placeOf(this.salt, position), next, 1, safe, summary);
  }

  /** A segment of the records given, sealed where `next` is. */
  segment(
    first: number,
    indexes: readonly number[],
    { next, safe = 0 }: { next?: number; safe?: number } = {},
  ): void {
    const parts: Buffer[] = [encodeFileHeader(HeaderKind.data, this.storeId, first)];
    let position = 32;
    for (const index of indexes) {
      const frame = this.record(position, index, { safe });
      parts.push(frame);
      position += frame.length;
    }
    if (next !== undefined)
      parts.push(this.seal(position, (indexes.at(-1) ?? first - 1) + 1 - first, next, safe));
    this.put(data(first), Buffer.concat(parts));
  }
}
