/** Writes a stream that never ends, and says when it is under way. For those who kill it. */
import { openStore } from '../../src/mod.js';
import { tell } from './child.js';

const { directory } = JSON.parse(process.argv[2] ?? '{}') as { readonly directory: string };
const store = await openStore({ directory, maxFileSize: 65_536 });

async function* endless(): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; ; at++) {
    yield Buffer.alloc(50_000, at);
    if (at === 5) await tell({ spooled: true });
    if (at >= 5) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

await store.writeStream(endless());
