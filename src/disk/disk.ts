/**
 * The operating system as far as this library uses it: files, their locks, and notices of change. It is the seam
 * where tests put another world: `MemoryDisk` knows what was synced, crashes and fails on command.
 *
 * Calls that go to the page cache are synchronous on purpose: through the thread pool a 1 KiB write costs 32 µs,
 * in the calling thread 1.3. Only syncs, which wait for the device, are asynchronous.
 *
 * Errors of the operating system pass through as they are (`code` ENOSPC, EIO, EACCES …), except where a method
 * says that it answers a case by its result.
 */
export interface Disk {
  /** Opens an existing file, with 'write' for reading too; undefined where there is none. */
  open(path: string, access: 'read' | 'write'): DiskFile | undefined;
  /** Creates a file that must not exist, open for reading and writing; undefined where it exists. Not synced. */
  create(path: string): DiskFile | undefined;
  exists(path: string): boolean;
  /** The names in a directory, in no particular order. */
  list(directory: string): string[];
  /** Creates a directory and its missing parents; returns the directories it created, outermost first. */
  makeDirectory(directory: string): string[];
  /** Creates a directory that must not exist, in one that does; false where it exists. Not synced. */
  createDirectory(path: string): boolean;
  /** Removes a directory, if it is there and nothing is in it. Not synced. */
  removeDirectory(path: string): 'removed' | 'missing' | 'occupied';
  /** When names in a directory last changed, or a file did, or when `setModifiedAt` says; undefined where there is none. */
  modifiedAt(directory: string): number | undefined;
  /** Sets that time, in milliseconds since the Unix epoch, as exactly as the system has it; false where there is none. */
  setModifiedAt(directory: string, at: number): boolean;
  /** Gives an existing file a second name; false where `to` exists. Not synced. Some file systems refuse it to everybody. */
  link(from: string, to: string): boolean;
  /** How many names a file has; 0 where there is none. */
  links(path: string): number;
  /** Gives a file another name, in place of whatever has it. Not synced. */
  rename(from: string, to: string): void;
  /** Removes a name; false where there was none. Not synced. */
  unlink(path: string): boolean;
  /** Resolves when creations, links and removals in the directory so far are on the device. */
  syncDirectory(directory: string): Promise<void>;
  /** The same, waiting in the calling thread. For the rare steps inside a critical section. */
  syncDirectoryNow(directory: string): void;
  /**
   * Whether the directory's file system is known to be local, so that locks on its files are seen by everybody who
   * can open them. 'unknown' where it is not on the allow-list.
   */
  locality(directory: string): 'local' | 'unknown';
  /** Whether files can be locked at all here (`DiskFile.tryLock`). */
  readonly canLock: boolean;
  /** Names this boot of the machine: facts measured on its monotonic clock mean nothing under another name. */
  bootId(): string;
  /**
   * Calls `notice` soon after something in the directory may have changed, by whoever's hand, locks and entries left out
   * (see `isNews`); notices may be merged, late or lost, and carry no information; one comes when watching has begun, for
   * what changed until then. `failed` tells that watching ended. Keeps no process alive.
   */
  watch(directory: string, notice: () => void, failed: (error: unknown) => void): { close(): void };
}

/**
 * An open file. Its descriptor is freed by `close`, as are its locks; closing or unlocking it then does nothing,
 * any other call throws. A sync that is under way when the file is closed still tells the truth.
 */
export interface DiskFile {
  readonly path: string;
  /**
   * Reads up to `length` bytes at `position` into `into` at `offset`; returns how many there were (fewer only at the
   * end of the file).
   */
  read(into: Uint8Array, offset: number, length: number, position: number): number;
  /** The same in the background, for much at a time: resolves in a later turn of the event loop. The file stays open meanwhile. */
  readLater(into: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /** Writes bytes at `position`; returns how many were taken, which may be fewer. */
  write(bytes: Uint8Array, offset: number, length: number, position: number): number;
  size(): number;
  truncate(size: number): void;
  /** Resolves when the file's bytes and size are on the device (fdatasync). */
  sync(): Promise<void>;
  /** The same, waiting in the calling thread. */
  syncNow(): void;
  /**
   * Locks the whole file, advisorily; false where another open file holds it in a conflicting way. A lock belongs to
   * this open file, not to the process: a second opening of the same path conflicts with the first, and the death of
   * the process frees it. Taking 'shared' while holding 'exclusive' turns the one into the other. The way back is
   * unlocking and trying again: not every system keeps the shared lock when it refuses the exclusive one.
   */
  tryLock(mode: 'shared' | 'exclusive'): boolean;
  unlock(): void;
  close(): void;
  /**
   * The same, for a file that was unlinked: closing the last descriptor of one frees its blocks, which takes 15 ms for 64 MiB,
   * so that is done in the background.
   */
  closeRemoved(): void;
}
