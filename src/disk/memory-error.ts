/** Thrown by every call of a process of a memory disk that has died; its closing and unlocking do nothing. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied';

  constructor(opener: string) {
    super(`${opener} has died`);
  }
}

/** An error as the operating system's calls throw it. */
export const systemError = (code: string, call: string, path: string): Error =>
  Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path });
