/** A lock among the code of one opener. */
export class Flag {
  #raised = false;

  tryEnter(): boolean {
    if (this.#raised) return false;
    this.#raised = true;
    return true;
  }

  leave(): void {
    this.#raised = false;
  }
}
