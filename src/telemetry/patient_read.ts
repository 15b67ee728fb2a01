// Keeps a read that may be slow or never answer from troubling who asks: an answer is kept for a
// while, one read is under way at a time, and who asks waits for it only so long. A read that takes
// longer still serves those who ask once it has come. Never rejects.

export interface PatientReadOptions<T> {
  read(): Promise<T>;
  /** How long an answer, or a failure, is given again. */
  keep_ms: number;
  wait_ms: number;
}

/** Null: the read failed or has not come yet. */
export function createPatientRead<T>(options: PatientReadOptions<T>): () => Promise<T | null> {
  let kept: { value: T | null; until_ms: number } | null = null;
  let under_way: Promise<T | null> | null = null;

  const begin = (): Promise<T | null> =>
    options.read().catch(() => null).then((value) => {
      kept = { value, until_ms: performance.now() + options.keep_ms };
      under_way = null;
      return value;
    });

  return async () => {
    if (kept !== null && performance.now() < kept.until_ms) return kept.value;
    under_way ??= begin();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), options.wait_ms);
    });
    return Promise.race([under_way, late]).finally(() => clearTimeout(timer));
  };
}
