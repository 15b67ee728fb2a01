// From rows that a statement cut to the page records of the contract.

export interface CutRows {
  items: Record<string, unknown>[];
  matching: number;
}

export interface Page {
  items: Record<string, unknown>[];
  next_cursor: string | null;
  prev_cursor: string | null;
  has_more: boolean;
}

/** `has_more` is exact: one row more than fits was looked for. */
export function pageBy(rows: CutRows, cursorOf: (item: Record<string, unknown>) => string): Page {
  const { items } = rows;
  const last = items.at(-1);
  const has_more = rows.matching > items.length;
  const next_cursor = has_more && last ? cursorOf(last) : null;
  return { items, next_cursor, prev_cursor: null, has_more };
}

/** For records that do not show the id of their row: the statement adds it as `cursor`. */
export function pageByCursor(rows: CutRows): Page {
  const page = pageBy(rows, (item) => String(item["cursor"]));
  const items = page.items.map(({ cursor: _, ...record }) => record);
  return { ...page, items };
}
