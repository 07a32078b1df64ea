import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from '../packages.js';
import type { Opened, Place, Subject } from '../subject.js';
import { freePort, programOf, startServer } from './server.js';

interface Message {
  readonly data: Uint8Array;
  ack(): void;
}

interface Messages extends AsyncIterable<Message> {
  stop(): void;
}

interface Consumer {
  next(options: { expires: number }): Promise<Message | null>;
  fetch(options: { max_messages: number; expires: number }): Promise<AsyncIterable<Message>>;
  consume(options: { max_messages: number }): Promise<Messages>;
}

interface Connection {
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Client {
  publish(subject: string, data: Uint8Array): Promise<unknown>;
  consumers: { get(stream: string, consumer?: string): Promise<Consumer> };
}

interface Manager {
  streams: {
    add(options: object): Promise<unknown>;
    info(stream: string): Promise<{ state: { messages: number } }>;
  };
  consumers: { add(stream: string, options: object): Promise<unknown> };
  direct: { getMessage(stream: string, query: { seq: number }): Promise<{ data: Uint8Array } | null> };
}

interface Transport {
  connect(options: { port: number }): Promise<Connection>;
}

interface Jetstream {
  jetstream(connection: Connection): Client;
  jetstreamManager(connection: Connection): Promise<Manager>;
}

const STREAM = 'bench';
const SUBJECT = 'bench.r';
const SCAN_AHEAD = 2000;
const EXPIRES_MS = 60_000;

/**
 * A stream in files of a server of its own on 127.0.0.1, with its default syncing (every two minutes), so there is
 * nothing to compare under `synced`. A batch is a hundred publishes at a time; a durable consumer takes and acknowledges
 * without waiting for an answer to its acknowledgements, which remove the messages. Read as a log, it keeps them, and an ordered consumer reads.
 */
export async function jetstream(): Promise<Subject> {
  const transport = (await load('@nats-io/transport-node')) as Transport;
  const library = (await load('@nats-io/jetstream')) as Jetstream;
  const program = programOf('nats-server');
  if (program === undefined)
    throw new Error('nats-server is not installed (Debian: apt-get install nats-server)');
  const portFile = (directory: string): string => join(directory, 'port');
  return {
    name: 'JetStream',
    inProcess: false,
    async serve({ directory }) {
      const port = await freePort();
      writeFileSync(portFile(directory), String(port));
      const args = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', join(directory, 'js')];
      return startServer(program, args, { port });
    },
    async open({ directory, as }: Place) {
      const connection = await transport.connect({ port: Number(readFileSync(portFile(directory), 'utf8')) });
      const manager = await library.jetstreamManager(connection);
      const stream = { name: STREAM, subjects: [SUBJECT], storage: 'file', allow_direct: true };
      await manager.streams.add({ ...stream, retention: as === 'queue' ? 'workqueue' : 'limits' });
      return opened(connection, library.jetstream(connection), manager);
    },
  };
}

function opened(connection: Connection, client: Client, manager: Manager): Opened {
  let durable: Promise<Consumer> | undefined;
  const consumer = (): Promise<Consumer> => {
    durable ??= manager.consumers
      .add(STREAM, { durable_name: 'taker', ack_policy: 'explicit', max_ack_pending: -1 })
      .then(() => client.consumers.get(STREAM, 'taker'));
    return durable;
  };
  const putMany = (records: readonly Uint8Array[]): Promise<unknown> =>
    Promise.all(records.map((record) => client.publish(SUBJECT, record)));
  const follow: NonNullable<Opened['follow']> = async (by, count, had, ready) => {
    const messages = await (await consumer()).consume({ max_messages: Math.max(by, 2) });
    ready();
    let left = count;
    for await (const message of messages) {
      had(message.data);
      message.ack();
      left -= 1;
      if (left === 0) break;
    }
    messages.stop();
    await connection.flush();
  };
  return {
    put: (record) => client.publish(SUBJECT, record),
    putMany,
    putTogether: putMany,
    async scan() {
      const { state } = await manager.streams.info(STREAM);
      let count = 0;
      const messages = await (await client.consumers.get(STREAM)).consume({ max_messages: SCAN_AHEAD });
      for await (const { data } of messages) {
        count += data.length > 0 ? 1 : 0;
        if (count === state.messages) break;
      }
      messages.stop();
      return count;
    },
    read: async (index) => (await manager.direct.getMessage(STREAM, { seq: index }))?.data,
    async drain(by, count) {
      const from = await consumer();
      let taken = 0;
      while (taken < count) {
        if (by === 1) {
          const message = await from.next({ expires: EXPIRES_MS });
          message?.ack();
          taken += message === null ? 0 : 1;
        } else {
          const batch = { max_messages: Math.min(by, count - taken), expires: EXPIRES_MS };
          for await (const message of await from.fetch(batch)) {
            message.ack();
            taken += 1;
          }
        }
      }
      await connection.flush();
      return taken;
    },
    follow,
    close: () => connection.close(),
  };
}
