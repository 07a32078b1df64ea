/** A message as the model has it: what it is, how often it was claimed, and who has it until when. */
export interface ModelMessage {
  readonly index: number;
  readonly value: string;
  claims: number;
  holder: number | undefined;
  until: number;
}

/** What a queue is, in a few arrays. It shares nothing with the library. */
export class Model {
  messages: ModelMessage[] = [];
  next = 1;

  put(index: number, value: string): void {
    this.messages.push({ index, value, claims: 0, holder: undefined, until: 0 });
    this.messages.sort((a, b) => a.index - b.index);
    this.next = Math.max(this.next, index + 1);
  }

  find(index: number): ModelMessage | undefined {
    return this.messages.find((message) => message.index === index);
  }

  get first(): number {
    return this.messages[0]?.index ?? this.next;
  }

  waiting(now: number): ModelMessage[] {
    return this.messages.filter(({ holder, until }) => holder === undefined || until <= now);
  }

  /** Deletes those; how many there were. */
  remove(indexes: readonly number[]): number {
    const before = this.messages.length;
    this.messages = this.messages.filter(({ index }) => !indexes.includes(index));
    return before - this.messages.length;
  }

  dequeue(max: number, now: number): ModelMessage[] {
    const taken = this.waiting(now).slice(0, max);
    this.remove(taken.map(({ index }) => index));
    return taken;
  }

  claim(max: number, holder: number, now: number, leaseMs: number): ModelMessage[] {
    const taken = this.waiting(now).slice(0, max);
    for (const message of taken)
      Object.assign(message, { claims: message.claims + 1, holder, until: now + leaseMs });
    return taken;
  }

  /** Everything that somebody holds is free. */
  release(holder: number): void {
    for (const message of this.messages) if (message.holder === holder) message.holder = undefined;
  }
}
