import { join } from 'node:path';
import type { Test } from 'tap';
import type { Disk, DiskFile } from '../../src/disk/disk.js';
import { until } from '../support/until.js';

/** A disk under test: two processes that share an existing, empty directory. */
export interface World {
  readonly disk: Disk;
  readonly other: Disk;
  readonly directory: string;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export function write(file: DiskFile | undefined, text: string, position = 0): number | undefined {
  return file?.write(bytes(text), 0, text.length, position);
}

export function read(file: DiskFile | undefined): string | undefined {
  if (file === undefined) return undefined;
  const into = new Uint8Array(file.size() + 10);
  return new TextDecoder().decode(into.subarray(0, file.read(into, 0, into.length, 0)));
}

/** What every disk does. */
export function diskConformance(t: Test, world: (t: Test) => Promise<World>): void {
  t.test('files', async (t) => {
    const { disk, other, directory } = await world(t);
    const path = join(directory, 'a');
    t.equal(disk.open(path, 'write'), undefined, 'nothing to open');
    t.equal(disk.exists(path), false);
    const file = disk.create(path);
    t.equal(file?.path, path);
    t.equal(other.create(path), undefined, 'created once');
    t.equal(disk.exists(path), true);
    t.equal(write(file, 'hello'), 5);
    const again = other.open(path, 'read');
    t.equal(read(again), 'hello', 'others see what is written');
    write(file, 'HE');
    write(file, 'x', 7);
    t.equal(read(again), 'HEllo\0\0x', 'a hole is zeros');
    t.equal(again?.size(), 8);
    file?.truncate(3);
    file?.truncate(5);
    t.equal(read(again), 'HEl\0\0', 'what was cut off does not come back');
    const into = new Uint8Array([9, 9, 9, 9]);
    t.equal(again?.read(into, 1, 2, 1), 2);
    t.same([...into], [9, 69, 108, 9], 'reads to an offset');
    t.equal(again?.read(into, 0, 4, 4), 1, 'fewer at the end');
    t.equal(again?.read(into, 0, 4, 5), 0, 'none behind it');
    t.equal(file?.write(bytes('abcd'), 1, 2, 0), 2);
    t.equal(read(file), 'bcl\0\0', 'writes from an offset; a created file can be read');
    t.throws(() => write(again, 'x'), { code: 'EBADF' }, 'opened for reading');
    const third = disk.open(path, 'write');
    t.equal(write(third, 'z'), 1);
    t.equal(read(third), 'zcl\0\0', 'opened for writing can be read');
    await file?.sync();
    file?.syncNow();
    for (const open of [file, again, third]) open?.close();
  });

  t.test('a closed file', async (t) => {
    const { disk, directory } = await world(t);
    const path = join(directory, 'a');
    const file = disk.create(path);
    write(file, 'x');
    const syncs = [file?.sync(), file?.sync()];
    file?.close();
    file?.close();
    // Were the descriptor free by now, this file would get its number.
    const next = disk.create(join(directory, 'b'));
    await t.resolves(Promise.all(syncs), 'syncs under way end well');
    file?.unlock();
    t.throws(() => read(file), 'does not read');
    t.throws(() => write(file, 'y'), 'does not write');
    t.throws(() => file?.truncate(0));
    t.throws(() => file?.syncNow());
    t.throws(() => file?.tryLock('shared'));
    if (file) await t.rejects(file.sync());
    t.equal(write(next, 'next'), 4);
    t.equal(read(next), 'next');
    next?.close();
  });

  t.test('directories and names', async (t) => {
    const { disk, other, directory } = await world(t);
    const deep = join(directory, 'd', 'e');
    t.same(disk.makeDirectory(deep), [join(directory, 'd'), deep], 'tells what it made, outermost first');
    t.same(disk.makeDirectory(deep), []);
    t.throws(() => disk.list(join(directory, 'none')), { code: 'ENOENT' });
    t.throws(() => disk.create(join(directory, 'none', 'x')), { code: 'ENOENT' });
    t.equal(disk.open(join(directory, 'none', 'x'), 'read'), undefined);
    const file = disk.create(join(deep, 'a'));
    write(file, 'a');
    t.equal(disk.link(join(deep, 'a'), join(deep, 'b')), true);
    t.equal(other.link(join(deep, 'a'), join(deep, 'b')), false, 'the name is taken');
    t.throws(() => disk.link(join(deep, 'none'), join(deep, 'c')), { code: 'ENOENT' });
    t.same(other.list(deep).sort(), ['a', 'b']);
    t.same(disk.list(join(directory, 'd')), ['e']);
    write(file, 'linked');
    const linked = other.open(join(deep, 'b'), 'read');
    t.equal(read(linked), 'linked', 'both names are one file');
    t.equal(disk.unlink(join(deep, 'a')), true);
    t.equal(disk.unlink(join(deep, 'a')), false);
    t.equal(disk.exists(join(deep, 'a')), false);
    t.equal(disk.unlink(join(deep, 'b')), true);
    t.equal(read(linked), 'linked', 'open, it outlives its names');
    const successor = disk.create(join(deep, 'a'));
    t.equal(read(successor), '', 'a new file, though the old one is open');
    await disk.syncDirectory(deep);
    disk.syncDirectoryNow(deep);
    await t.rejects(disk.syncDirectory(join(directory, 'none')), { code: 'ENOENT' });
    t.throws(() => disk.syncDirectoryNow(join(directory, 'none')), { code: 'ENOENT' });
    for (const open of [file, linked, successor]) open?.close();
  });

  t.test('a directory for one', async (t) => {
    const { disk, other, directory } = await world(t);
    const path = join(directory, 'x.lock');
    const owner = join(path, 'owner');
    t.equal(disk.modifiedAt(path), undefined);
    t.equal(disk.setModifiedAt(path, 0), false);
    t.equal(disk.removeDirectory(path), 'missing');
    t.throws(() => disk.createDirectory(join(directory, 'none', 'x')), { code: 'ENOENT' });
    t.equal(disk.createDirectory(path), true);
    t.equal(other.createDirectory(path), false, 'made once');
    t.equal(other.setModifiedAt(path, 1_234_567_890_123), true);
    t.equal(disk.modifiedAt(path), 1_234_567_890_123);
    const before = Date.now() - 1000;
    other.create(owner)?.close();
    t.ok((disk.modifiedAt(path) ?? 0) > before, 'a file in it makes it young');
    t.equal(disk.removeDirectory(path), 'occupied');
    t.same(disk.list(path), ['owner']);
    disk.setModifiedAt(path, 0);
    other.unlink(owner);
    t.ok((disk.modifiedAt(path) ?? 0) > before, 'and so does its removal');
    t.equal(other.removeDirectory(path), 'removed');
    t.equal(disk.exists(path), false);
    t.throws(() => disk.list(path), { code: 'ENOENT' });
    t.throws(() => disk.create(owner), { code: 'ENOENT' });
    t.equal(disk.unlink(owner), false);
    disk.create(path)?.close();
    t.equal(other.createDirectory(path), false, 'where a file is');
    t.throws(() => disk.removeDirectory(path), { code: 'ENOTDIR' });
  });

  t.test('locks', async (t) => {
    const { disk, other, directory } = await world(t);
    t.equal(disk.canLock, true);
    const path = join(directory, 'x.lock');
    const one = disk.create(path);
    const same = disk.open(path, 'write');
    const two = other.open(path, 'write');
    t.equal(one?.tryLock('exclusive'), true);
    t.equal(one?.tryLock('exclusive'), true, 'again');
    t.equal(same?.tryLock('exclusive'), false, 'a second opening by the same process conflicts');
    t.equal(two?.tryLock('shared'), false);
    same?.unlock();
    two?.unlock();
    same?.close();
    t.equal(two?.tryLock('shared'), false, 'who holds nothing frees nothing');
    t.equal(one?.tryLock('shared'), true, 'the exclusive lock becomes a shared one');
    t.equal(two?.tryLock('shared'), true);
    t.equal(one?.tryLock('shared'), true, 'again');
    t.throws(() => one?.tryLock('exclusive'), /cannot be made exclusive/);
    one?.unlock();
    t.equal(one?.tryLock('exclusive'), false, 'shared by another');
    two?.unlock();
    t.equal(one?.tryLock('exclusive'), true);
    one?.close();
    t.equal(two?.tryLock('exclusive'), true, 'closing frees');
    const late = disk.open(path, 'write');
    const sync = two?.sync();
    two?.close();
    t.equal(late?.tryLock('exclusive'), true, 'even while a sync is under way');
    await sync;
    late?.close();
  });

  t.test('watching', async (t) => {
    const { disk, other, directory } = await world(t);
    const existing = other.create(join(directory, 'old'));
    let notices = 0;
    const watch = disk.watch(
      directory,
      () => {
        notices += 1;
      },
      (error) => t.error(error as Error),
    );
    t.teardown(() => watch.close());
    await until('a notice that watching has begun', () => notices > 0);
    const notified = async (what: string, change: () => void): Promise<void> => {
      // Notices of the change before may still be on their way, so each change is made until one comes of it.
      const before = notices;
      await until(`a notice of ${what}`, () => {
        change();
        return notices > before;
      });
      t.pass(what);
    };
    await notified('writing', () => write(existing, 'x', existing?.size()));
    const created = other.create(join(directory, 'new'));
    await notified('writing what was created later', () => write(created, 'x', created?.size()));
    await notified('truncating', () => existing?.truncate((existing.size() + 1) % 7));
    await notified('linking and removing', () => {
      other.link(join(directory, 'old'), join(directory, 'second'));
      other.unlink(join(directory, 'second'));
    });
    watch.close();
    watch.close();
    const before = notices;
    write(existing, 'y');
    await new Promise(setImmediate);
    t.equal(notices, before, 'a closed watch is silent');
    existing?.close();
    created?.close();
  });

  t.test('a lock directory is no news', async (t) => {
    const { disk, other, directory } = await world(t);
    const path = join(directory, 'x.lock');
    let notices = 0;
    const watch = disk.watch(
      directory,
      () => {
        notices += 1;
      },
      (error) => t.error(error as Error),
    );
    t.teardown(() => watch.close());
    await until('a notice that watching has begun', () => notices > 0);
    for (let time = 0; time < 5; time++) {
      other.createDirectory(path);
      other.create(join(path, 'owner'))?.close();
      other.setModifiedAt(path, time);
      other.unlink(join(path, 'owner'));
      other.removeDirectory(path);
      // Changes of one turn may make one notice.
      await new Promise(setImmediate);
    }
    // Notices come in the order of the changes.
    other.create(join(directory, 'news'))?.close();
    await until('a notice of the news', () => notices > 1);
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    t.equal(notices, 2, 'of nothing else');
  });

  t.test('the machine', async (t) => {
    const { disk, other, directory } = await world(t);
    t.equal(disk.locality(directory), 'local');
    t.ok(disk.bootId());
    t.equal(disk.bootId(), other.bootId());
  });
  t.end();
}
