// Wakes those who wait for news of one run: hints of the host ring it, and a wait ends by itself
// after a while, because a hint may be lost. A ring that nobody waits for is kept for the next.

export class Bell {
  #rings = 0;
  readonly #waiting = new Set<() => void>();

  /** Pass it to `wait`: a ring since then ends the wait at once. */
  get rings(): number {
    return this.#rings;
  }

  ring(): void {
    this.#rings += 1;
    for (const wake of this.#waiting) wake();
  }

  /** Resolves at a ring after `seen`, after the time, or when the signal aborts; never rejects. */
  wait(seen: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.#rings !== seen || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}
