import { onAbort } from '../abort.js';
import { LARGE_BYTES } from '../segment/large-read.js';
import { LARGE, type StoredRecord } from '../segment/stored-record.js';
import { Ballast } from './ballast.js';
import type { Engine } from './engine.js';
import { type Blocks, LargeBlocks } from './large-blocks.js';
import { PieceOpener } from './pieces.js';
import { OneBlock, PlainPieces } from './plain-pieces.js';
import { notedTransforms, transformsToUndo } from './transforms.js';

/**
 * A record's payload, piece by piece; undefined where it is gone or never was. What is large is read as it is asked for, from a file
 * that is held open until the stream has ended, was cancelled, or the store is closed, whatever becomes of the record meanwhile.
 */
export async function readStream(
  engine: Engine,
  index: number,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const record = engine.read(index, LARGE_BYTES);
  if (record === undefined) return undefined;
  if (record !== LARGE) return ofRecord(engine, record);
  const large = engine.takeLarge();
  const pinned = large && engine.files.descriptors.pin(large.path);
  if (large !== undefined && pinned !== undefined) {
    let isStreamed = false;
    try {
      const stored = new LargeBlocks(engine, large, pinned.file);
      const plain = undone(engine, index, stored.marks, stored);
      if (plain !== undefined) {
        isStreamed = true;
        return streamOf(engine, plain, pinned.unpin);
      }
    } finally {
      if (!isStreamed) pinned.unpin();
    }
  }
  const found = await engine.readInTurns(index);
  return found && ofRecord(engine, found);
}

/** What is in memory as it is stored. ⚑ Of what went through transforms in pieces that may be little of something large. */
function ofRecord(engine: Engine, record: StoredRecord): ReadableStream<Uint8Array> {
  const { index, marks, payload } = record;
  if (marks.length > 0 && notedTransforms(marks)?.inPieces) {
    const plain = undone(engine, index, marks, new OneBlock(payload));
    if (plain !== undefined) return streamOf(engine, plain, () => {});
  }
  return whole(engine.plain(record).payload);
}

function whole(payload: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (payload.length > 0) controller.enqueue(payload);
      controller.close();
    },
  });
}

/** What is stored, without the transforms; undefined where they have to be undone as a whole. CODEC where one is missing. */
function undone(engine: Engine, index: number, marks: Uint8Array, stored: Blocks): Blocks | undefined {
  const noted = marks.length === 0 ? undefined : notedTransforms(marks);
  if (noted === undefined) return stored;
  if (!noted.inPieces) return undefined;
  const toUndo = transformsToUndo(index, noted, engine.options.transforms);
  return new PlainPieces(stored, new PieceOpener(index, toUndo));
}

function streamOf(engine: Engine, blocks: Blocks, unpin: () => void): ReadableStream<Uint8Array> {
  const { signal } = engine.streams;
  const ballast = new Ballast(blocks instanceof PlainPieces);
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    unlisten?.();
    unpin();
  };
  let unlisten: (() => void) | undefined;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        unlisten = onAbort(signal, () => {
          end();
          controller.error(signal.reason);
        });
      },
      async pull(controller) {
        try {
          await engine.turns.pause();
          let block = await blocks.next();
          // Who gives nothing is not asked again.
          while (block?.length === 0 && blocks.left > 0) block = await blocks.next();
          if (isOver) return;
          if (block !== undefined && block.length > 0) {
            ballast.passed(block.length);
            controller.enqueue(block);
          }
          if (blocks.left === 0) {
            end();
            controller.close();
          }
        } catch (error) {
          if (isOver) return;
          end();
          controller.error(error);
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}
