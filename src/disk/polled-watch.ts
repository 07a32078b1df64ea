import { resolve } from 'node:path';
import type { FSWatcher } from 'chokidar';
import { isNews } from './news.js';

/**
 * Watches one directory by looking at it again and again, through chokidar: for where the system gives no notices. Only
 * new and removed files are noticed; the rest is for who looks at the files now and then anyway.
 *
 * Chokidar's `raw` event is what is listened for: its `change` is throttled and drops the last of a burst. Only the
 * directory itself is watched. Left alone, chokidar would look at each file besides.
 */
export function watchByPolling(
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
      usePolling: true,
      atomic: false,
      awaitWriteFinish: false,
      ignored: (path) => resolve(path) !== watched,
    });
    watcher.on('raw', (_event, name: unknown) => {
      if (isNews(name)) notice();
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

/** Loaded at the first watch: hardly anybody needs it. */
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
