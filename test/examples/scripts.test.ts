import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { document } from '../docs/documents.js';
import { repository } from '../support/repository.js';

t.test('each example has a script that starts it, and says so', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    scripts: Readonly<Record<string, string>>;
  };
  for (const name of readdirSync(join(repository, 'examples'))) {
    t.ok(existsSync(join(repository, 'examples', name, 'main.ts')), name);
    const starting = Object.keys(scripts).filter((script) =>
      scripts[script]?.endsWith(`node build/examples/${name}/main.js`),
    );
    t.equal(starting.length, 1, name);
    const [script = ''] = starting;
    const command = script === 'start' ? 'npm start' : `npm run ${script}`;
    t.match(document(`examples/${name}/README.md`).text, `\n${command}\n`, name);
    t.match(document('README.md').text, command, `${name}, in README.md`);
  }
});
