import type { ConsumerSink } from './consumer-facts.js';

/** A named consumer, as everybody has it. */
export interface ConsumerState {
  readonly name: string;
  /** The fact that made it: a later one of the same name is another consumer. */
  readonly since: number;
  /** All up to it is done; 0: nothing is. */
  readonly position: number;
}

/**
 * The named consumers, and how far each has got: the fold of the facts about them. ⚑ That what is done is never less than
 * before, but where somebody sought, is made sure here and not by who states it: commits of one turn are stated together, and know
 * nothing of each other.
 */
export class Consumers implements ConsumerSink {
  /** Called when one is there, has got further, or is no more. */
  onChange: (() => void) | undefined;
  readonly #removed = new Set<(state: ConsumerState) => void>();
  readonly #states = new Map<string, ConsumerState>();

  get size(): number {
    return this.#states.size;
  }

  get(name: string): ConsumerState | undefined {
    return this.#states.get(name);
  }

  /** All of them, in the order in which they were made. */
  all(): IterableIterator<ConsumerState> {
    return this.#states.values();
  }

  /** What all of them have done; undefined where there is none. */
  get least(): number | undefined {
    let least: number | undefined;
    for (const { position } of this.#states.values())
      if (least === undefined || position < least) least = position;
    return least;
  }

  /** Tells `listener` of each that is no more, until the returned function is called. */
  onRemoved(listener: (state: ConsumerState) => void): () => void {
    this.#removed.add(listener);
    return () => {
      this.#removed.delete(listener);
    };
  }

  consumer(name: string, since: number, position: number): void {
    this.#states.set(name, { name, since, position });
    this.onChange?.();
  }

  consumed(name: string, index: number): void {
    const known = this.#states.get(name);
    if (known === undefined || known.position >= index) return;
    this.#states.set(name, { ...known, position: index });
    this.onChange?.();
  }

  consumerRemoved(name: string): void {
    const known = this.#states.get(name);
    if (known === undefined) return;
    this.#states.delete(name);
    for (const listener of this.#removed) listener(known);
    this.onChange?.();
  }

  /** Says the whole state again, in facts. */
  tell(sink: ConsumerSink): void {
    for (const { name, since, position } of this.#states.values()) sink.consumer(name, since, position);
  }

  clear(): void {
    this.#states.clear();
  }
}
