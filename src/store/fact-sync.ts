import { GroupSync } from '../disk/group-sync.js';
import type { Engine } from './engine.js';

/** More facts than that are not waited for in the calling thread. */
const FACTS_SYNCED_HERE = 1000;

/** Brings facts to the device, behind the records that they name. */
export class FactSync {
  readonly #engine: Engine;
  readonly #journal: GroupSync;
  /** How many wait for facts to be on the device, those who wait in the background. */
  #underWay = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#journal = new GroupSync({
      sync: () => this.#syncJournal(),
      syncHere: () => this.#syncJournalHere(),
      failed: (error) => engine.failure.ofSync(error),
    });
  }

  /** Resolves when every fact that is known here, and the records that facts name, are on the device. */
  async all(): Promise<void> {
    await this.#behind(this.records());
  }

  async #behind(records: Promise<void>): Promise<void> {
    await records;
    const { journal } = this.#engine;
    if (journal.fact > journal.safe) await this.#journal.request();
  }

  /** The same for who has just decided something; undefined where all is there already. Throws what keeps it from that. */
  allHere(): Promise<void> | undefined {
    const { failure, syncer, journal } = this.#engine;
    failure.assertNone();
    if (this.#underWay > 0) return this.#noted(this.all());
    const records = syncer.upToHere(this.#lastNamed());
    if (records !== undefined) return this.#noted(this.#behind(records));
    const facts = journal.fact > journal.safe ? this.#journal.requestHere() : undefined;
    return facts && this.#noted(facts);
  }

  /** Nobody is answered before those who asked earlier. */
  #noted(synced: Promise<void>): Promise<void> {
    const over = (): void => {
      this.#underWay -= 1;
    };
    this.#underWay += 1;
    synced.then(over, over);
    return synced;
  }

  /** Resolves when the records that facts name, and the batches that say that records are gone, are on the device. */
  async records(): Promise<void> {
    const { failure, syncer } = this.#engine;
    failure.assertNone();
    await syncer.upTo(this.#lastNamed());
  }

  /** The last record that a fact names, or that is in a batch that says that records are gone. */
  #lastNamed(): number {
    const { fates, tail } = this.#engine;
    const carried = fates.unfolded[fates.unfolded.length - 1]?.number ?? 0;
    return Math.min(Math.max(fates.highestNamed, carried - 1), tail.nextIndex - 1);
  }

  /** A sync that succeeds after another process's has failed says nothing: the lost pages count as clean. */
  async #syncJournal(): Promise<void> {
    this.#engine.files.assertNotSuspect();
    await this.#engine.journal.sync();
  }

  #syncJournalHere(): boolean {
    const { journal, files } = this.#engine;
    if (journal.fact - journal.safe > FACTS_SYNCED_HERE) return false;
    files.assertNotSuspect();
    journal.syncNow();
    return true;
  }
}
