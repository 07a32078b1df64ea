import { resolve } from 'node:path';
import type { FSWatcher } from 'chokidar';

/**
 * Watches one directory through chokidar's `raw` event, which passes the system's notice on at once; its `change`
 * is throttled and drops the last of a burst.
 *
 * Only the directory itself is watched: the system reports there what happens to the files in it. Left alone,
 * chokidar would watch each file besides and list the directory again at every notice, which keeps more than one
 * core busy when a directory of 2,000 files sees 200 appends a second.
 *
 * Where the environment makes chokidar poll (CHOKIDAR_USEPOLLING), only new and removed files are noticed.
 *
 * On Linux no error comes once watching has begun. Where one does (the directory is removed on Windows), chokidar
 * listens for it only if the watch may keep the process alive, and this one may not: the error is uncaught.
 */
export function watchDirectory(
  directory: string,
  notice: () => void,
  failed: (error: unknown) => void,
): { close(): void } {
  const watched = resolve(directory);
  let watcher: FSWatcher | undefined;
  let closed = false;
  const close = (): void => {
    closed = true;
    void watcher?.close();
    watcher = undefined;
  };
  const fail = (error: unknown): void => {
    if (closed) return;
    close();
    failed(error);
  };
  directoryWatcher().then((DirectoryWatcher) => {
    if (closed) return;
    watcher = new DirectoryWatcher({
      depth: 0,
      ignoreInitial: true,
      persistent: false,
      atomic: false,
      awaitWriteFinish: false,
      ignored: (path) => resolve(path) !== watched,
    });
    watcher.on('raw', (_event, name: unknown) => {
      if (!(typeof name === 'string' && name.endsWith('.lock'))) notice();
    });
    // What changed between the call and this moment has raised no notice.
    watcher.on('ready', notice);
    watcher.on('error', fail);
    watcher.add(watched);
  }, fail);
  return { close };
}

type WatcherClass = new (...options: ConstructorParameters<typeof FSWatcher>) => FSWatcher;

let loaded: Promise<WatcherClass> | undefined;

/** Loaded at the first watch: who only writes need not pay for it. */
const directoryWatcher = (): Promise<WatcherClass> => {
  loaded ??= import('chokidar').then(
    (chokidar) =>
      class DirectoryWatcher extends chokidar.FSWatcher {
        /** Chokidar asks this before it lists the directory, and is always refused. `raw` does not ask. */
        override _throttle(): false {
          return false;
        }
      },
  );
  return loaded;
};
