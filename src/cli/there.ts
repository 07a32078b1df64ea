import { verify } from '../mod.js';
import type { Session } from './session.js';

/**
 * Rejects with INVALID_OPTION where there is no store, with UNSUPPORTED_VERSION or CORRUPT where nobody can tell, and
 * creates nothing; opening would create one. Somebody may remove it a moment later.
 */
export async function assertThere({ directory, filePrefix }: Session): Promise<void> {
  const enough = new AbortController();
  // A verification finds out before it reads anything else, and is ended there.
  const looking = verify({ directory, filePrefix, signal: enough.signal });
  enough.abort();
  try {
    await looking;
  } catch (error) {
    if (error !== enough.signal.reason) throw error;
  }
}
