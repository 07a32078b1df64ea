import { statfsSync } from 'node:fs';

/**
 * File systems that one kernel serves, so that its locks are seen by everybody who can open the file. Numbers from
 * linux/magic.h where it has them, else from the file system's own header. Left out on purpose: network and cluster
 * file systems, whatever is passed in from a host (9p, virtiofs, vboxsf), FUSE (anything may be behind it), and FAT
 * and exFAT, which have no hard links.
 */
const LOCAL_ON_LINUX: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlayfs
  0xf2f52010, // f2fs
  0x52654973, // reiserfs
  0x3434, // nilfs2
  0x72b6, // jffs2
  0x3153464a, // jfs (fs/jfs/jfs_superblock.h)
  0x24051905, // ubifs (fs/ubifs/ubifs.h)
  0xca451a4e, // bcachefs (fs/bcachefs/bcachefs_format.h)
  0x2fc12fc1, // zfs (OpenZFS, sys/zfs_vfsops.h)
]);

/**
 * macOS numbers its file systems as they are loaded, so there is no list to compare with; but the one it starts from
 * is local on every version that Node 20 runs on. Windows and the BSDs tell no dependable number.
 */
export function locality(directory: string): 'local' | 'unknown' {
  const type = typeOf(directory);
  const local =
    process.platform === 'linux'
      ? LOCAL_ON_LINUX.has(type)
      : process.platform === 'darwin' && type === typeOf('/');
  return local ? 'local' : 'unknown';
}

/** Unsigned, for 32-bit systems sign-extend the number. */
const typeOf = (path: string): number => statfsSync(path).type >>> 0;
