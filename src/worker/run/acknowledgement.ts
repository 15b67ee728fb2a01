// A promise that may be left alone: a rejection of it is never unhandled, and whoever made it is
// told of one that nobody had asked for by then.

/** Notices that it is awaited. Its own `then` runs only because `await` calls it on a subclass. */
class HeardPromise<T> extends Promise<T> {
  is_heard = false;

  /** What `then` and `catch` make of it are plain promises. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  override then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.is_heard = true;
    return super.then(fulfilled, rejected);
  }
}

export class Acknowledgement<T> {
  readonly promise: Promise<T>;
  #resolve: (value: T) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;
  readonly #onUnheard: (reason: unknown) => void;

  constructor(onUnheard: (reason: unknown) => void) {
    const promise = new HeardPromise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    Promise.prototype.then.call(promise, null, () => undefined);
    this.promise = promise;
    this.#onUnheard = onUnheard;
  }

  accept(value: T): void {
    this.#resolve(value);
  }

  /** Told a turn later, so that whoever awaits in the turn of the refusal counts. */
  refuse(reason: unknown): void {
    this.#reject(reason);
    setImmediate(() => {
      if (!(this.promise as HeardPromise<T>).is_heard) this.#onUnheard(reason);
    });
  }
}
