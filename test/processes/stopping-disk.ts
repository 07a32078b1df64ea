import type { Disk, DiskFile } from '../../src/disk/disk.js';

/** Those that never reach the files. */
const UNCOUNTED = new Set(['watch', 'close', 'closeRemoved', 'unlock', 'locality', 'bootId']);

/** A disk whose process stops itself, SIGSTOP, before one of its operations, and goes on with it when it is continued. */
export class StoppingDisk {
  readonly disk: Disk;
  /** What it stopped before. */
  stoppedAt: string | undefined;
  #stopsAt: ((n: number, name: string) => boolean) | undefined;
  #count = 0;

  constructor(beneath: Disk) {
    const watch = (file: DiskFile | undefined): DiskFile | undefined =>
      file && this.#counting(file, {}, () => file.path);
    const opening: Partial<Disk> = {
      open: (path, access) => watch(beneath.open(path, access)),
      create: (path) => watch(beneath.create(path)),
    };
    this.disk = this.#counting(beneath, opening, (path) => String(path));
  }

  /** From now on, until it has stopped; operations are counted from 1. */
  stopBefore(stopsAt: (n: number, name: string) => boolean): void {
    this.#stopsAt = stopsAt;
    this.#count = 0;
  }

  #counting<T extends object>(target: T, overridden: object, pathOf: (argument: unknown) => string): T {
    return new Proxy(target, {
      get: (object, key) => {
        const value: unknown = Reflect.get(overridden, key) ?? Reflect.get(object, key, object);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (!UNCOUNTED.has(String(key))) this.#before(String(key), pathOf(args[0]));
          return Reflect.apply(value, object, args);
        };
      },
    });
  }

  #before(name: string, path: string): void {
    if (this.#stopsAt === undefined) return;
    this.#count += 1;
    if (!this.#stopsAt(this.#count, name)) return;
    this.#stopsAt = undefined;
    this.stoppedAt = `${name} ${path}`;
    process.kill(process.pid, 'SIGSTOP');
  }
}
