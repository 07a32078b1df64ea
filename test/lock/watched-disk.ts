import type { Disk, DiskFile } from '../../src/disk/disk.js';

/** The same disk, telling of every attempt to lock a file or to make a lock directory; `refused` may change the world before the next one. */
export class WatchedDisk {
  readonly disk: Disk;
  refusals = 0;
  tries = 0;
  refused: (path: string) => void = () => {};

  constructor(beneath: Disk) {
    const watch = (file: DiskFile | undefined): DiskFile | undefined => file && this.#watch(file);
    const overridden: Partial<Disk> = {
      open: (path, access) => watch(beneath.open(path, access)),
      create: (path) => watch(beneath.create(path)),
      createDirectory: (path) => this.#tried(path, beneath.createDirectory(path)),
    };
    this.disk = new Proxy(beneath, {
      get(target, key) {
        const value: unknown = Reflect.get(overridden, key) ?? Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  #tried(path: string, taken: boolean): boolean {
    this.tries++;
    if (!taken) {
      this.refusals++;
      this.refused(path);
    }
    return taken;
  }

  #watch(file: DiskFile): DiskFile {
    const tryLock = (mode: 'shared' | 'exclusive'): boolean => this.#tried(file.path, file.tryLock(mode));
    return new Proxy(file, {
      get(target, key) {
        if (key === 'tryLock') return tryLock;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}
