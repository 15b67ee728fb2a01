// The one door to Postgres: a pool whose every statement has a deadline. A statement that the
// database does not answer, or a connection that breaks, is UNAVAILABLE to its caller and renews
// the pool; anything else that Postgres refuses is our defect. Only src/ledger and src/sql call it.

import postgres from "postgres";
import { Refusal } from "../contract/errors.js";
import { cutOff, stateOf, unavailable, withDeadline } from "./deadline.js";
import { openNotices, type Listening, type Notices, type NoticesParts } from "./notices.js";

export type Sql = postgres.Sql<Record<string, never>>;
export type Json = postgres.JSONValue;
/** A part of a statement; its rows are nobody's business until it stands in one. */
export type Fragment = postgres.PendingQuery<any>;
type Ask<Row> = (sql: Sql) => PromiseLike<readonly Row[]>;

export interface DatabaseOptions {
  url: string;
  /** False: unprepared statements, for transaction-pooling proxies. */
  prepare: boolean;
  statement_timeout_ms: number;
  log: DatabaseLog;
  pool_size: number;
  /** How long what is under way keeps a pool that is left; default: statement_timeout_ms. */
  close_ms?: number;
  /** Told of each statement before it is sent. */
  on_statement?: (name: string) => void;
  observer?: DatabaseObserver;
}

/** `refused`: what Postgres itself refused, and a conflict that is then tried again. */
export type StatementOutcome = "answered" | "late" | "unavailable" | "refused";

/** Counts; must not throw. */
export interface DatabaseObserver {
  /** Told before a statement is sent; what it returns is told once how the statement ended. */
  statement(name: string): (outcome: StatementOutcome) => void;
  /** The pool was given up for a new one. */
  renewed(): void;
}

export interface DatabaseLog {
  warn(fields: Record<string, unknown>, message: string): void;
  debug(fields: Record<string, unknown>, message: string): void;
}

export interface Database {
  /** One autocommit statement; answered within its deadline, statement_timeout_ms unless told. */
  query<Row>(name: string, ask: Ask<Row>, deadline_ms?: number): Promise<readonly Row[]>;
  readonly statement_timeout_ms: number;
  /** Work on a connection of its own, in one transaction: migrations only. */
  migrate<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Resolves when the database answers; refuses with UNAVAILABLE. */
  ping(): Promise<void>;
  /** Notices between processes, on a connection beside the pool; to be stopped before `close`. */
  listen(wanted: Listening): Notices;
  close(): Promise<void>;
}

const retriedStates = new Set(["40001", "40P01"]);
const unavailableStates = /^(08|53|57P|57014|25006)/;
const unavailableCodes = new Set([
  "CONNECTION_CLOSED", "CONNECTION_ENDED", "CONNECTION_DESTROYED", "CONNECT_TIMEOUT",
  "ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EHOSTUNREACH", "EAI_AGAIN",
  "ENETUNREACH",
]);
/** A connection that the server ended keeps the server's last words and answers its next statement
    with them, as if that one had failed (driver 3.4.9): such a pool gets no new statement. */
const poisoned = /^(57P|CONNECTION_CLOSED$)/;
const retries = 3;

export function createDatabase(options: DatabaseOptions): Database {
  let pool = openPool(options);
  let closing: Promise<void> | null = null;
  const close_ms = options.close_ms ?? options.statement_timeout_ms;

  const renew = (reason: string, broken: Pool): void => {
    if (broken !== pool || closing) return;
    options.log.warn({ reason }, "the connection pool is renewed");
    options.observer?.renewed();
    pool = openPool(options);
    void endPool(broken, close_ms);
  };

  const attempt = async <Row>(used: Pool, ask: Ask<Row>, deadline_ms: number) => {
    if (closing) throw unavailable("the host is stopping");
    const sent = Promise.resolve(ask(used.sql));
    used.under_way.add(sent);
    const settle = () => used.under_way.delete(sent);
    sent.then(settle, settle);
    const outcome = await withDeadline(sent, deadline_ms);
    if (outcome === "late") {
      renew("a statement was not answered in time", used);
      throw new Late("UNAVAILABLE", {}, "the database did not answer in time");
    }
    return outcome;
  };

  const { statement_timeout_ms } = options;
  const query: Database["query"] = async (name, ask, deadline_ms = statement_timeout_ms) => {
    for (let tried = 1; ; tried += 1) {
      options.on_statement?.(name);
      const ended = options.observer?.statement(name);
      const used = pool;
      try {
        const rows = await attempt(used, ask, deadline_ms);
        ended?.("answered");
        return rows;
      } catch (thrown) {
        const state = stateOf(thrown);
        ended?.(outcomeOf(thrown, state));
        if (poisoned.test(state)) renew("the server ended a connection", used);
        if (retriedStates.has(state) && tried < retries) continue;
        throw translate(thrown, state, name, options.log);
      }
    }
  };

  return {
    query,
    statement_timeout_ms,
    migrate: (work) => migrateAlone(options, work),
    async ping() {
      await query("ping", (sql) => sql<{ one: number }[]>`select 1 as one`);
    },
    listen: (wanted) => openNotices({ ...options, open: openChannel(options, wanted) }, wanted),
    close() {
      closing ??= endPool(pool, close_ms);
      return closing;
    },
  };
}

/** On a connection of its own: the driver's begin() cannot start where nothing may be pipelined. */
async function migrateAlone<T>(options: DatabaseOptions, work: (sql: Sql) => Promise<T>) {
  const connection = { application_name: "runhost" };
  const own = connect(options, { max: 1, connection, ...{ max_pipeline: 1 } });
  try {
    const done = await own.begin(async (sql) => {
      await sql`set local statement_timeout = 0`;
      return work(sql as unknown as Sql);
    });
    return done as T;
  } catch (thrown) {
    throw isUnavailable(stateOf(thrown)) ? unavailable(unreachable) : thrown;
  } finally {
    await cutOff(own);
  }
}

interface Pool {
  sql: Sql;
  /** Statements that are sent, or wait for a connection. */
  under_way: Set<Promise<unknown>>;
}

function openPool(options: DatabaseOptions): Pool {
  const { pool_size: max } = options;
  const connection = { application_name: "runhost", ...giveUp(options) };
  const sql = connect(options, { max, connection });
  return { sql, under_way: new Set() };
}

/** A statement that nobody waits for any more would keep its backend for as long as it is blocked,
    and each renewed pool would add some. Poolers refuse settings at the start of a connection. */
function giveUp({ prepare, statement_timeout_ms }: DatabaseOptions) {
  return prepare ? { statement_timeout: statement_timeout_ms + give_up_ms } : {};
}

/** Past the deadline of the host, so that it is the host that answers. */
const give_up_ms = 1000;

function connect(options: DatabaseOptions, own: postgres.Options<{}>): Sql {
  return postgres(options.url, {
    prepare: options.prepare,
    // The driver's own back-off grows to 20 s; a statement waits for its deadline, not longer.
    backoff: () => 0.1,
    connect_timeout: 2,
    fetch_types: false,
    // Known to the driver, not to its types. It would send the description of the next statement
    // behind one that needs none: PgBouncer gives the connection to another after the first Sync,
    // and what followed is answered to nobody.
    ...{ max_pipeline: 0 },
    onnotice: (notice) => options.log.debug({ notice: notice["message"] }, "database notice"),
    ...own,
  }) as unknown as Sql;
}

function openChannel(options: DatabaseOptions, { channel }: Listening): NoticesParts["open"] {
  return ({ onNotice, onClosed }) => {
    const sql = connect(options, {
      max: 1,
      max_lifetime: null,
      connection: { application_name: "runhost hints" },
      onclose: onClosed,
      // Known to the driver, not to its types: what its own listen() is built on.
      ...{ onnotify: (_channel: string, payload: string) => onNotice(payload) },
    });
    return {
      listen: () => sql`listen ${sql(channel)}`,
      // Nobody waits for a hint to be on disk.
      notify: (payloads) => sql`select set_config('synchronous_commit', 'off', true),
        pg_notify(${channel}, payload)
        from jsonb_array_elements_text(${sql.json([...payloads])}) payload`,
      end: (how) => sql.end(how),
    };
  };
}

/** What is under way is waited for, and the rest is cut. */
async function endPool(pool: Pool, timeout_ms: number): Promise<void> {
  await withDeadline(Promise.allSettled(pool.under_way), timeout_ms);
  await cutOff(pool.sql);
}

/** The refusal, UNAVAILABLE, of a statement whose deadline passed. */
export class Late extends Refusal {}

function outcomeOf(thrown: unknown, state: string): StatementOutcome {
  if (thrown instanceof Late) return "late";
  return thrown instanceof Refusal || isUnavailable(state) ? "unavailable" : "refused";
}

const isUnavailable = (state: string): boolean =>
  unavailableStates.test(state) || unavailableCodes.has(state);

const unreachable = "the database cannot be reached";

function translate(thrown: unknown, state: string, name: string, log: DatabaseLog): unknown {
  if (thrown instanceof Refusal) return thrown;
  if (retriedStates.has(state) || isUnavailable(state)) {
    log.warn({ statement: name, state }, "the database refused or dropped a statement");
    return unavailable(unreachable);
  }
  log.warn({ statement: name, state }, "a statement failed");
  return thrown;
}
