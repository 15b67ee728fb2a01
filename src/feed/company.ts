// Whether other hosts are there to be told anything. Each host says hello once in a while, and at
// once to one that it has not heard before; who has been silent for three times that long has gone.
// A host that has just begun, or comes back to the line, takes it that there are others until they
// have had time to answer.

export interface Company {
  isAlone(): boolean;
  /** What others say is heard from now on. */
  begin(): void;
  /** Another host has said something. */
  hear(host_id: string): void;
  stop(): void;
}

export interface CompanyParts {
  period_ms: number;
  sayHello(): void;
}

/** More than a fleet has. */
const hosts_max = 1000;
const silent_periods = 3;

export function keepCompany({ period_ms, sayHello }: CompanyParts): Company {
  let began_ms = performance.now();
  const heard = new Map<string, number>();
  const timer = setInterval(() => {
    const gone_ms = performance.now() - silent_periods * period_ms;
    for (const [host_id, at_ms] of heard) if (at_ms < gone_ms) heard.delete(host_id);
    sayHello();
  }, period_ms).unref();
  sayHello();
  return {
    isAlone: () => heard.size === 0 && performance.now() - began_ms > period_ms,
    begin() {
      began_ms = performance.now();
      sayHello();
    },
    hear(host_id) {
      const isNew = !heard.has(host_id);
      if (isNew && heard.size >= hosts_max) return;
      heard.set(host_id, performance.now());
      if (isNew) sayHello();
    },
    stop: () => clearInterval(timer),
  };
}
