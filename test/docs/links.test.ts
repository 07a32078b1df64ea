import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { repository } from '../support/repository.js';
import { documents } from './documents.js';

/** The anchors that headings get on GitHub. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

t.test('links between documents lead somewhere', async (t) => {
  const all = documents();
  for (const { path, text } of all) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const to = file === '' ? path : join(dirname(path), file);
      const exists = existsSync(join(repository, to));
      t.ok(exists, `${path} → ${target}`);
      const there = all.find((document) => document.path === to.replaceAll('\\', '/'));
      if (anchor !== undefined && there !== undefined) {
        t.ok(anchorsOf(there.text).includes(anchor), `${path} → ${target}: the heading exists`);
      }
    }
  }
});
