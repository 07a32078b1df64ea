/** An audit log: what was done is appended, watched as it comes, and asked for by time. See README.md. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Entry, openStore } from 'durostore';

const show = ({ index, headers, data }: Entry): string =>
  `${index} ${headers['who']} ${Buffer.from(data).toString()}`;

const directory = await mkdtemp(join(tmpdir(), 'durostore-audit-'));
const log = await openStore({ directory, retention: { maxAgeMs: 365 * 24 * 3600 * 1000 } });
try {
  const note = (who: string, what: string): Promise<number> =>
    log.write(Buffer.from(what), { headers: { who } });

  // Whoever watches sees what comes, and nothing of before. It ends when nothing came for a second.
  const watching = (async () => {
    for await (const entry of log.entries({ from: 'next', follow: true, waitMs: 1000 }))
      console.log('seen   ', show(entry));
  })();

  await note('ada', 'signed in');
  await note('grace', 'signed in');
  await sleep(20);
  const noon = new Date();
  await note('ada', 'changed the price of 7');
  await note('grace', 'deleted 9');
  await sleep(20);
  const evening = new Date();
  await note('ada', 'signed out');
  await watching;

  console.log('between noon and evening:');
  for await (const entry of log.entries({ from: noon, to: evening })) console.log('       ', show(entry));
  console.log('the last one:');
  for await (const entry of log.entries({ from: -1 })) console.log('       ', show(entry));
  console.log('the first since the evening is', await log.indexAt(evening));
} finally {
  await log.close();
  await rm(directory, { recursive: true });
}
