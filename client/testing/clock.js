/** Time that stands still until a test lets it pass. */
export class FakeClock {
  #now = 1_700_000_000_000;
  #timers = new Map();
  #ids = 0;
  /** The random number of the next pauses; a test may change it. */
  randomness = 0.5;

  now = () => this.#now;
  date = () => this.#now;
  random = () => this.randomness;

  setTimeout = (run, millis) => {
    const id = ++this.#ids;
    this.#timers.set(id, { at: this.#now + millis, run });
    return id;
  };

  clearTimeout = (id) => void this.#timers.delete(id);

  /** How many timers wait. */
  get pending() {
    return this.#timers.size;
  }

  /** Lets time pass at once: what is due runs before anything else that has been begun. */
  jump(millis) {
    this.#now += millis;
    for (const [id, { at, run }] of [...this.#timers]) {
      if (at <= this.#now && this.#timers.delete(id)) {
        run();
      }
    }
  }

  /** Lets time pass, one timer after the other, and each of them finish what it began. */
  async pass(millis) {
    const end = this.#now + millis;
    for (;;) {
      await settled();
      const [id, next] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
      if (!next || next.at > end) {
        this.#now = end;
        return settled();
      }
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
  }
}

/** Everything that needs no time has happened. */
export async function settled() {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
