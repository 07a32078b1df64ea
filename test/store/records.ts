import { HEAD_BYTES } from '../../src/frame/frame.js';
import { SEGMENT_OVERHEAD } from '../../src/segment/appender.js';
import type { Store } from '../../src/store/contract.js';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const text = (data: Uint8Array | undefined): string | undefined =>
  data && new TextDecoder().decode(data);

/** What a data file of so many bytes has room for, as one record's payload. */
export const room = (maxFileSize: number): number => maxFileSize - SEGMENT_OVERHEAD - HEAD_BYTES;

/** The size of a data file that has room for exactly so many records of so many bytes. */
export const fileOf = (records: number, payload: number): number =>
  SEGMENT_OVERHEAD + records * (HEAD_BYTES + payload);

/** Everything there is: index and text, in order. */
export async function contents(store: Store): Promise<[number, string][]> {
  const found: [number, string][] = [];
  for await (const entry of store.entries()) found.push([entry.index, text(entry.data) ?? '']);
  return found;
}

/** Whole numbers from `from` to `to`, both inclusive. */
export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);
