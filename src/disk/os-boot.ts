import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { uptime } from 'node:os';

let known: string | undefined;

/**
 * The kernel's own name for this boot where it has one. Elsewhere the hour the machine started in, by wall clock:
 * coarse, so that clock corrections rarely give two processes of one boot different answers.
 */
export function bootId(): string {
  known ??= fromKernel() || `hour-${Math.round((Date.now() / 1000 - uptime()) / 3600)}`;
  return known;
}

function fromKernel(): string | undefined {
  try {
    switch (process.platform) {
      case 'linux':
      case 'android':
        return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      case 'darwin':
        return ask('sysctl', '-n', 'kern.bootsessionuuid');
      case 'freebsd':
        return ask('sysctl', '-n', 'kern.boot_id');
      case 'win32': {
        const answer = ask('reg', 'query', PREFETCH_PARAMETERS, '/v', 'BootId');
        return /BootId\s+REG_DWORD\s+(0x[0-9a-f]+)/i.exec(answer)?.[1];
      }
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

const PREFETCH_PARAMETERS =
  'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management\\PrefetchParameters';

/** Once a process, and never on Linux, which therefore does not load child_process. */
function ask(command: string, ...args: string[]): string {
  const { execFileSync }: typeof import('node:child_process') = createRequire(import.meta.url)(
    'node:child_process',
  );
  return execFileSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    windowsHide: true,
  }).trim();
}
