import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Disk } from '../../src/disk/disk.js';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { systemError } from '../../src/disk/memory-error.js';
import { osDisk } from '../../src/disk/os.js';
import { publishFile } from '../../src/disk/publish-file.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { read } from './disk-conformance.js';

const names = new FileNames('/q', 'duro');
const PATH = names.takeover(1);
const TEN_SECONDS = 10_000;

function machineWith(options: { readonly hardLinks: boolean }): MemoryDisk {
  const machine = new MemoryDisk(options);
  machine.opener().makeDirectory('/q');
  return machine;
}

const contentOf = (machine: MemoryDisk): string | undefined => {
  const bytes = machine.bytes(PATH);
  return bytes && Buffer.from(bytes).toString();
};

function publishesOnce(t: Test, disk: Disk, names: FileNames): void {
  t.equal(publishFile(disk, names, names.takeover(1), Buffer.from('first')), true);
  t.equal(publishFile(disk, names, names.takeover(1), Buffer.from('second')), false, 'the name is taken');
  const file = disk.open(names.takeover(1), 'read');
  t.equal(read(file), 'first');
  file?.close();
  t.same(disk.list(names.directory), ['duro.takeover.1'], 'and nothing else is left');
}

t.test('a file gets its name once', async (t) => {
  const refusing = (code: string): Disk => ({
    ...osDisk,
    link: (_, to) => {
      throw systemError(code, 'link', to);
    },
  });
  for (const code of ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])
    publishesOnce(t, refusing(code), new FileNames(join(await temporaryDirectory(t), '.'), 'duro'));
  publishesOnce(t, osDisk, new FileNames(await temporaryDirectory(t), 'duro'));
  for (const hardLinks of [true, false]) publishesOnce(t, machineWith({ hardLinks }).opener(), names);
  const other = new FileNames(await temporaryDirectory(t), 'duro');
  t.throws(() => publishFile(refusing('EIO'), other, other.takeover(1), Buffer.from('x')), { code: 'EIO' });
  t.same(osDisk.list(other.directory), []);
});

t.test('two at the same time, one of them at each moment of the other', async (t) => {
  for (const hardLinks of [true, false]) {
    const moments: string[] = [];
    for (let n = 1; ; n++) {
      const machine = machineWith({ hardLinks });
      const one = machine.opener('one');
      const two = machine.opener('two');
      const before = machine.operations;
      const won: string[] = [];
      let struck: string | undefined;
      machine.onOperation = ({ opener, kind, n: at }) => {
        // Who finds the guard waits until the other one is done.
        if (opener !== 'one' || at !== before + n || two.exists(names.guard())) return undefined;
        struck = kind;
        if (publishFile(two, names, PATH, Buffer.from('two'))) won.push('two');
        return undefined;
      };
      if (publishFile(one, names, PATH, Buffer.from('one'))) won.push('one');
      if (machine.operations === before + n - 1) break;
      if (struck !== undefined) moments.push(struck);
      if (won.length !== 1 || contentOf(machine) !== won[0])
        t.fail(`at ${n}: ${won.join()} won, and it is ${contentOf(machine)}`);
      t.same(one.list('/q'), ['duro.takeover.1']);
      if (n > 50) throw new Error('this does not end');
    }
    t.ok(moments.includes('link') && moments.includes('unlink'), moments.join(' '));
    t.equal(moments.includes('createDirectory'), !hardLinks);
  }
});

t.test('a guard is waited for', async (t) => {
  const machine = machineWith({ hardLinks: false });
  const disk = machine.opener();
  const other = machine.opener('other');
  other.createDirectory(names.guard());
  let looks = 0;
  machine.onOperation = ({ opener, kind }) => {
    if (kind === 'modifiedAt') looks += 1;
    if (looks === 4 && opener !== 'other' && other.removeDirectory(names.guard()) === 'removed')
      publishFile(other, names, PATH, Buffer.from('other'));
    return undefined;
  };
  t.equal(publishFile(disk, names, PATH, Buffer.from('mine')), false);
  t.equal(looks, 4);
  t.equal(contentOf(machine), 'other');
});

t.test('a guard that somebody left who died is in the way for ten seconds', async (t) => {
  const machine = machineWith({ hardLinks: false });
  const disk = machine.opener();
  disk.createDirectory(names.guard());
  machine.age(TEN_SECONDS + 1);
  t.equal(publishFile(disk, names, PATH, Buffer.from('mine')), true);
  t.equal(contentOf(machine), 'mine');
  t.same(disk.list('/q'), ['duro.takeover.1']);
});
