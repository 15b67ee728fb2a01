// Reads protocol/state_table.json, the answer of each call to a run in each state, and makes a
// fixture of every cell. It refuses what protocol/README.md does not describe.

import { readProtocol, refuseUnknown, type Fixture, type Step } from "./fixture_files.js";
import type { Json } from "./link.js";

export interface State {
  status: string;
  needs?: string[];
  let?: Record<string, Json>;
  steps: Step[];
}

export interface Call {
  method: string;
  by: string;
  what?: string;
  as: string;
  params: Json;
  result?: Json;
  cells: Record<string, string>;
}

export interface StateTable {
  title: string;
  world: string;
  states: Record<string, State>;
  calls: Call[];
}

interface Cell {
  /** The status of the run afterwards; null for a refusal, which changes nothing. */
  ok: string | null;
  idempotent: boolean;
  code: string;
  reason?: string | undefined;
}

const known = {
  table: ["title", "world", "states", "calls"],
  state: ["status", "needs", "let", "steps"],
  call: ["method", "by", "what", "as", "params", "result", "cells"],
};

export function readStateTable(): StateTable {
  const table = readProtocol("state_table.json") as StateTable;
  refuseUnknown("state table", table, known.table);
  for (const [name, state] of Object.entries(table.states)) {
    refuseUnknown(name, state, known.state);
  }
  for (const call of table.calls) refuseUnknown(nameOf(call), call, known.call);
  return table;
}

export const nameOf = ({ method, by, what }: Call): string =>
  `${method} by ${by}${what === undefined ? "" : `: ${what}`}`;

export function listCells(table: StateTable): { name: string; fixture: Fixture }[] {
  const errors = readProtocol("errors.json");
  return table.calls.flatMap((call) =>
    Object.entries(table.states).map(([name, state]) => {
      const cell = readCell(call, name);
      const steps = [
        ...state.steps,
        { send: { method: call.method, params: call.params }, expect: expectOf(call, cell, state) },
        {
          as: "operator",
          send: { method: "run_get", params: { target_run_id: "${run}" } },
          expect: { result: { status: cell.ok ?? state.status } },
        },
      ];
      const title = `${nameOf(call)}, ${name}: ${call.cells[name]}`;
      const { world } = table;
      const variables = { ...state.let, status: cell.ok ?? state.status };
      const { needs = [] } = state;
      return { name: title, fixture: { title, why: table.title, world, as: call.as, needs,
        let: variables, steps } };
    }),
  );

  function expectOf(call: Call, cell: Cell, state: State): NonNullable<Step["expect"]> {
    if (cell.ok !== null) {
      const idempotent = cell.idempotent ? true : { $absent: true };
      return { result: { ...call.result, idempotent } };
    }
    const { code, reason } = cell;
    const { code: number, retryable } = errors[code];
    const status = namesStatus(cell) ? { status: state.status } : {};
    const data = { code, retryable, ...(reason === undefined ? {} : { reason }), ...status };
    return { error: { code: number, data } };
  }
}

const namesStatus = ({ code, reason = "" }: Cell): boolean =>
  ["RUN_TERMINAL", "DEADLINE_EXCEEDED"].includes(code) ||
  ["status_differs", "run_not_retryable"].includes(reason);

/** `ok STATUS`, `ok STATUS idempotent`, `CODE` or `CODE REASON`. */
export function readCell(call: Call, state: string): Cell {
  const text = call.cells[state];
  if (text === undefined) throw new Error(`${nameOf(call)} has no cell ${state}`);
  const found = /^(?:ok ([a-z]+)( idempotent)?|([A-Z_]+)(?: ([a-z_]+))?)$/.exec(text);
  if (!found) throw new Error(`${nameOf(call)}: ${state} is ${text}`);
  const [, ok = null, idempotent, code = "", reason] = found;
  return { ok, idempotent: idempotent !== undefined, code, reason };
}
