import { type FSWatcher, watch } from 'node:fs';
import { isNews } from './news.js';
import { watchByPolling } from './polled-watch.js';

/**
 * Watches one directory by the system's own notices: beginning is one call, of 10 µs, and a notice is passed on in the
 * turn it comes in. The system reports there what happens to the files in the directory, so nothing else is watched.
 *
 * Chokidar watches where there are no notices, or the environment says that they do not come (CHOKIDAR_USEPOLLING).
 * Beside them it would cost more than it gives: it takes 30 ms to load, and its own work at each notice comes first.
 */
export function watchDirectory(
  directory: string,
  notice: () => void,
  failed: (error: unknown) => void,
): { close(): void } {
  if (isPollingAsked()) return watchByPolling(directory, notice, failed);
  let watcher: FSWatcher;
  try {
    watcher = watch(directory, NEVER_KEEPS_ALIVE, (_event, name) => {
      if (isNews(name)) notice();
    });
  } catch (error) {
    if (hasNoNotices(error)) return watchByPolling(directory, notice, failed);
    return failing(error, failed);
  }
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    watcher.close();
  };
  watcher.on('error', (error) => {
    if (closed) return;
    close();
    failed(error);
  });
  queueMicrotask(() => {
    if (!closed) notice();
  });
  return { close };
}

const NEVER_KEEPS_ALIVE = { persistent: false };

/** As chokidar reads it. */
function isPollingAsked(): boolean {
  const asked = process.env['CHOKIDAR_USEPOLLING']?.toLowerCase();
  return asked !== undefined && !['', 'false', '0'].includes(asked);
}

const hasNoNotices = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM';

function failing(error: unknown, failed: (error: unknown) => void): { close(): void } {
  const telling = setImmediate(() => failed(error));
  return { close: () => clearImmediate(telling) };
}
