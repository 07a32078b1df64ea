import type { Disk, DiskFile } from '../../src/disk/disk.js';

/** The same disk, telling of every attempt to lock a file; `refused` may change the world before the next one. */
export class WatchedDisk {
  readonly disk: Disk;
  refusals = 0;
  tries = 0;
  refused: (path: string) => void = () => {};

  constructor(beneath: Disk) {
    const watch = (file: DiskFile | undefined): DiskFile | undefined => file && this.#watch(file);
    this.disk = Object.create(beneath, {
      open: { value: (path: string, access: 'read' | 'write') => watch(beneath.open(path, access)) },
      create: { value: (path: string) => watch(beneath.create(path)) },
    });
  }

  #watch(file: DiskFile): DiskFile {
    const tryLock = (mode: 'shared' | 'exclusive'): boolean => {
      this.tries++;
      const taken = file.tryLock(mode);
      if (!taken) {
        this.refusals++;
        this.refused(file.path);
      }
      return taken;
    };
    return new Proxy(file, {
      get(target, key) {
        if (key === 'tryLock') return tryLock;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}
