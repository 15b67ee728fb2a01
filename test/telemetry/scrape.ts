// Reads GET /metrics as Prometheus would: names with their types, values by series, labels by name.

export interface Scrape {
  text: string;
  type: string | null;
  /** `name type`, sorted. */
  names: string[];
  /** Of one series as it is written, such as `a{b="c"}`; null where there is none. */
  value(series: string): number | null;
  /** How much the series grew since an earlier scrape; a missing one is 0. */
  since(earlier: Scrape, series: string): number;
  /** Values of one label over the series of a metric, sorted. */
  labels(name: string, label: string): string[];
}

export async function createScrape(http_url: string): Promise<Scrape> {
  const answer = await fetch(`${http_url}/metrics`);
  if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}`);
  const text = await answer.text();
  const series = new Map<string, number>();
  for (const line of text.split("\n")) {
    const found = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line);
    if (found) series.set(found[1]!, Number(found[2]));
  }
  const value = (name: string): number | null => series.get(name) ?? null;
  return {
    text,
    type: answer.headers.get("content-type"),
    names: [...text.matchAll(/^# TYPE (\S+ \S+)$/gm)].map((match) => match[1]!).sort(),
    value,
    since: (earlier, name) => (value(name) ?? 0) - (earlier.value(name) ?? 0),
    labels: (name, label) => [...series.keys()]
      .filter((key) => key.startsWith(`${name}{`))
      .flatMap((key) => new RegExp(`[{,]${label}="([^"]*)"`).exec(key)?.[1] ?? [])
      .sort(),
  };
}
