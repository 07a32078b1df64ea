import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Served } from '../subject.js';

const START_MS = 10_000;
/** Where distributions put servers, which is not in everybody's PATH. */
const USUAL = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin'];

/** The file of a program, if it is installed. */
export function programOf(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...USUAL];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** Starts a server, which listens when this resolves, and does not outlive this process. */
export async function startServer(
  program: string,
  args: readonly string[],
  address: { path: string } | { port: number },
): Promise<Served> {
  const child = spawn(program, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', kill);
  const deadline = performance.now() + START_MS;
  while (!(await listens(address))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      kill();
      throw new Error(`${program} ${args.join(' ')} does not listen`);
    }
    await sleep(5);
  }
  return {
    async stop() {
      process.removeListener('exit', kill);
      kill();
      await exited;
    },
  };
}

async function listens(address: { path: string } | { port: number }): Promise<boolean> {
  const socket = connect('path' in address ? address : { ...address, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
