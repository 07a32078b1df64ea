/** The sections of the tables, in their order: what they are called, and what they are about. */
export interface Group {
  readonly key: string;
  readonly title: string;
  readonly says: string;
  /** Whether its chart has the fastest on top, rather than contestants in their own order; it does where nothing is said. */
  readonly sorted?: boolean;
}

export const groups: readonly Group[] = [
  {
    key: 'append',
    title: 'Appending',
    says: "Records of 1,024 bytes, `durability: 'written'`: they survive the process, not a power cut.",
  },
  { key: 'read', title: 'Reading', says: 'Records of 1,024 bytes; the files are in the page cache.' },
  { key: 'through', title: 'Through the queue', says: "Records of 1,024 bytes, `durability: 'written'`." },
  {
    key: 'synced',
    title: 'On the device',
    says: "Records of 1,024 bytes, `durability: 'synced'`: they survive a power cut.",
  },
  {
    key: 'two processes',
    title: 'Between two processes',
    says: 'One process enqueues, another one dequeues; nobody polls but those who cannot wait.',
  },
  {
    key: 'contention',
    title: 'Many processes at one queue',
    says: 'The time that all of them took together, by the records of all of them: where it stays the same, more processes cost nothing.',
  },
  { key: 'values', title: 'Values', says: 'What JSON costs on the way in and out.' },
  { key: 'sizes', title: 'Sizes', says: 'Small and large records; 1 KiB is above.' },
  {
    key: 'locking',
    title: 'Ways of locking',
    says: 'The price of letting other processes join at any time.',
  },
  {
    key: 'streams',
    title: 'Streams',
    says: 'Finding a time, and groups that share the partitions of a topic.',
  },
  {
    key: 'growth',
    title: 'Growth',
    says: 'What operations cost as more and more records are stored.',
    sorted: false,
  },
  {
    key: 'footprint',
    title: 'Opening, memory, disk',
    says: 'What a store of many records costs beside time.',
  },
  {
    key: 'event loop',
    title: 'The event loop',
    says: 'For how long others of the same process have to wait for their turn.',
    sorted: false,
  },
  {
    key: 'idle',
    title: 'Waiting',
    says: 'What it costs when nothing comes.',
  },
  {
    key: 'format',
    title: 'Two decisions of the format',
    says: 'Plain files, without the library: why files are prepared ahead with zeros, and why an entry has 32 bytes.',
  },
];

/** The file name of a group's chart. */
export const chartFile = (key: string): string => `${key.replaceAll(' ', '-')}.svg`;
