import type { Engine } from '../store/engine.js';

/** Removes all messages but dead letters, which stay until they are purged; resolves with how many. */
export async function clearQueue(engine: Engine): Promise<number> {
  const count = await engine.decider.decide((facts) => {
    engine.tail.catchUp();
    const { fates, tail } = engine;
    let from = engine.firstIndex;
    for (const to of [...fates.dead.sorted(), tail.nextIndex]) {
      if (fates.goneSet.firstAbsent(from) < to) facts.gone(from, to);
      from = to + 1;
    }
    return engine.length - fates.dead.size;
  }, engine.durable);
  engine.sweeper.checkAll();
  return count;
}
