// Interactions: requests of a run to a person, read, answered once, cancelled.

import type { Interaction, InteractionPage } from "../../contract/context_records.js";
import type { Grant } from "../../contract/grants.js";
import { listInteractions } from "../../sql/interaction_list.js";
import { pageBy, refuseIf } from "../answers.js";
import type { Ledger } from "../ledger.js";
import { type LedgerParts, tellSteering } from "../parts.js";

export function createInteractions(parts: LedgerParts): Ledger["interactions"] {
  const { database, operate, told } = parts;

  async function change(
    name: "interaction_submit" | "interaction_cancel",
    grant: Grant<"outside">,
    input: object,
  ): Promise<Interaction> {
    const done = await operate(name, { grant, input });
    tellSteering(told, grant.tenant_id, done["steering"]);
    return done["interaction"] as Interaction;
  }

  return {
    async list(grant, query) {
      const [row] = await database.query("interaction_list", (sql) =>
        listInteractions(sql, { grant, query }));
      if (!row) throw new Error("interaction_list answered no row");
      refuseIf(row.refusal);
      return pageBy(row.page, (item) => String(item["id"])) as InteractionPage;
    },
    async get(grant, named) {
      const found = await operate("interaction_get", { grant, input: named });
      return found["interaction"] as Interaction;
    },
    submit: (grant, answer) => change("interaction_submit", grant, answer),
    cancel: (grant, named) => change("interaction_cancel", grant, named),
  };
}
