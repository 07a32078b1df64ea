import t from 'tap';
import { noShell, shell } from '../cli/command-line.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { blocksOf, documents } from './documents.js';

/** A `sh` block that calls the command line. A `text` block right after it is what it prints, errors and all. */
const isOurs = /^(.*\| )?durostore /m;

/** Times are the only thing that is new every time. */
const timeless = (text: string): string => text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME');

for (const document of documents()) {
  const blocks = blocksOf(document);
  const snippets = blocks.filter(({ language, text }) => language === 'sh' && isOurs.test(text));
  if (snippets.length === 0) continue;
  t.test(`the commands in ${document.path} print what is said`, { skip: noShell }, async (t) => {
    const cwd = await temporaryDirectory(t);
    for (const snippet of snippets) {
      const where = `${document.path}:${snippet.line}`;
      const { code, stdout } = await shell(t, `exec 2>&1; set -e\n${snippet.text}`, { cwd });
      t.equal(code, 0, `${where} runs`);
      const next = blocks[blocks.indexOf(snippet) + 1];
      const end = snippet.line + snippet.text.split('\n').length;
      const prints = next?.language === 'text' && next.line <= end + 2 ? next.text : '';
      t.equal(timeless(stdout), timeless(prints), `${where} prints what is said`);
    }
  });
}
