import { readdirSync } from 'node:fs';
import t from 'tap';
import { blocksOf, document } from '../docs/documents.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const folder = 'examples/email-outbox';

t.test('each mail is sent once, in order, after retries and a requeue, as its README says', async (t) => {
  const scratch = await temporaryDirectory(t);
  const program = startProgram(t, `${folder}/main.js`, { env: { TMPDIR: scratch, TEMP: scratch } });
  t.same(await program.ended(), { code: 0, signal: null }, program.stderr);
  const [shown] = blocksOf(document(`${folder}/README.md`)).filter(({ language }) => language === 'text');
  t.equal(program.stdout, shown?.text);
  t.same(readdirSync(scratch), [], 'it leaves nothing behind');
});
