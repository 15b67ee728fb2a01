// Params of the connection and of plugin identities: what is accepted, and which path is refused.

import { longText, names, wideText, type ParamsTable } from "../schemas.js";

const tenantRows: ParamsTable["refused"] = [
  ["tenant empty", { tenant_id: "" }, ["tenant_id"]],
  ["tenant too long", { tenant_id: longText(256) }, ["tenant_id"]],
  ["tenant a number", { tenant_id: 1 }, ["tenant_id"]],
];

const identityRows: ParamsTable["refused"] = [
  ["no slash", { plugin_identity: "acme" }, ["plugin_identity"]],
  ["two slashes", { plugin_identity: "acme/bot/x" }, ["plugin_identity"]],
  ["empty name", { plugin_identity: "acme/" }, ["plugin_identity"]],
  ["space", { plugin_identity: "acme/my bot" }, ["plugin_identity"]],
  ["line feed at the end", { plugin_identity: "acme/bot\n" }, ["plugin_identity"]],
  ["over 200 characters", { plugin_identity: `acme/${longText(196)}` }, ["plugin_identity"]],
  ["number", { plugin_identity: 5 }, ["plugin_identity"]],
  ["null where required", { plugin_identity: null }, ["plugin_identity"]],
  ["absent", {}, ["plugin_identity"]],
];

export const pluginTables: ParamsTable[] = [
  {
    action: "ping",
    accepted: [["nothing", {}]],
    refused: [
      ["an unknown name", { a: 1 }, ["a"]],
      ["an unknown name that is null", { a: null }, ["a"]],
      ["two unknown names", { a: 1, b: 2 }, ["a", "b"]],
    ],
  },
  {
    action: "rpc.discover",
    accepted: [["nothing", {}]],
    refused: [["an unknown name", { verbose: true }, ["verbose"]]],
  },
  {
    action: "plugin_connect",
    accepted: [
      ["nothing", {}],
      ["a token", { token: "rh_k_s" }],
      ["512 characters of token", { token: wideText(512) }],
      ["client with a version", { client: { name: "x", version: "1" } }],
      ["client whose version is null", { client: { name: "x", version: null } }],
      ["everything null", { token: null, client: null, protocol_version: null }],
      ["protocol version 1", { protocol_version: "1" }],
    ],
    refused: [
      ["token too long", { token: longText(513) }, ["token"]],
      ["token a number", { token: 1 }, ["token"]],
      ["client a string", { client: "x" }, ["client"]],
      ["client without name", { client: {} }, ["client.name"]],
      ["client name too long", { client: { name: longText(101) } }, ["client.name"]],
      ["client name null", { client: { name: null } }, ["client.name"]],
      ["client version a number", { client: { name: "x", version: 1 } }, ["client.version"]],
      ["client with more", { client: { name: "x", os: null } }, ["client.os"]],
      ["another version", { protocol_version: "2" }, ["protocol_version"]],
      ["version empty", { protocol_version: "" }, ["protocol_version"]],
      ["version a number", { protocol_version: 1 }, ["protocol_version"]],
    ],
  },
  {
    action: "plugin_register",
    accepted: [
      ["an identity", { plugin_identity: "acme/bot" }],
      ["the shortest identity", { plugin_identity: "a/b" }],
      ["the longest identity", { plugin_identity: `acme/${longText(195)}` }],
      ["an author that begins like the reserved one", { plugin_identity: "runhost2/bot" }],
      ["no permissions", { plugin_identity: "a/b", permissions: [] }],
      [
        "every permission",
        {
          plugin_identity: "a/b",
          permissions: [
            "agent_run:admin", "agent_run:create", "runtime:admin", "plugin:admin",
            "plugin:delegate", "agent_run:*", "runtime:*", "plugin:*", "agent_runner:admin", "*",
          ],
        },
      ],
      ["nulls", { plugin_identity: "a/b", permissions: null, display_name: null, metadata: null }],
      ["255 characters of name", { plugin_identity: "a/b", display_name: wideText(255) }],
      ["an empty name", { plugin_identity: "a/b", display_name: "" }],
      ["a tenant", { plugin_identity: "a/b", tenant_id: longText(255) }],
    ],
    refused: [
      ...identityRows,
      ["reserved author", { plugin_identity: "runhost/admin" }, ["plugin_identity"]],
      ["reserved author, any name", { plugin_identity: "runhost/x" }, ["plugin_identity"]],
      [
        "unknown permission",
        { plugin_identity: "a/b", permissions: ["runtime:admin", "runtime:create"] },
        ["permissions.1"],
      ],
      ["permission null", { plugin_identity: "a/b", permissions: [null] }, ["permissions.0"]],
      ["permissions a string", { plugin_identity: "a/b", permissions: "*" }, ["permissions"]],
      [
        "more than 20",
        { plugin_identity: "a/b", permissions: Array(21).fill("*") },
        ["permissions"],
      ],
      [
        "name too long",
        { plugin_identity: "a/b", display_name: longText(256) },
        ["display_name"],
      ],
      ["metadata a list", { plugin_identity: "a/b", metadata: [] }, ["metadata"]],
      ["metadata a string", { plugin_identity: "a/b", metadata: "{}" }, ["metadata"]],
      ["unknown", { plugin_identity: "a/b", enabled: true }, ["enabled"]],
      ...withIdentity(tenantRows),
    ],
  },
  {
    action: "plugin_list",
    accepted: [
      ["nothing", {}],
      ["all", { enabled: false, after_cursor: "17", limit: 10, tenant_id: "t" }],
      ["nulls", { enabled: null, after_cursor: null, limit: null, tenant_id: null }],
      ["a limit far outside", { limit: -5 }],
    ],
    refused: [
      ["enabled a number", { enabled: 1 }, ["enabled"]],
      ["enabled a string", { enabled: "true" }, ["enabled"]],
      ["cursor a number", { after_cursor: 17 }, ["after_cursor"]],
      ["cursor not handed out", { after_cursor: "01" }, ["after_cursor"]],
      ["cursor empty", { after_cursor: "" }, ["after_cursor"]],
      ["cursor negative", { after_cursor: "-1" }, ["after_cursor"]],
      ["cursor beyond 64 bits", { after_cursor: "9223372036854775808" }, ["after_cursor"]],
      ["cursor of words", { after_cursor: "abc" }, ["after_cursor"]],
      ["limit with a fraction", { limit: 1.5 }, ["limit"]],
      ["limit a string", { limit: "10" }, ["limit"]],
      ["limit true", { limit: true }, ["limit"]],
      ["before_cursor", { before_cursor: "1" }, ["before_cursor"]],
      ...tenantRows,
    ],
  },
  {
    action: "plugin_rotate_token",
    accepted: [
      ["an identity", { plugin_identity: "acme/bot" }],
      ["the reserved author, which is not found later", { plugin_identity: "runhost/admin" }],
      ["a tenant", { plugin_identity: "acme/bot", tenant_id: "t" }],
    ],
    refused: [
      ...identityRows,
      ["unknown", { plugin_identity: "a/b", force: true }, ["force"]],
      ...withIdentity(tenantRows),
    ],
  },
  {
    action: "plugin_set_enabled",
    accepted: [
      ["on", { plugin_identity: "acme/bot", enabled: true }],
      ["off", { plugin_identity: "acme/bot", enabled: false, tenant_id: null }],
    ],
    refused: [
      ["enabled absent", { plugin_identity: "a/b" }, ["enabled"]],
      ["enabled null", { plugin_identity: "a/b", enabled: null }, ["enabled"]],
      ["enabled a string", { plugin_identity: "a/b", enabled: "no" }, ["enabled"]],
      ["enabled zero", { plugin_identity: "a/b", enabled: 0 }, ["enabled"]],
      ["all absent", {}, ["plugin_identity", "enabled"]],
      ["unknown", { plugin_identity: "a/b", enabled: true, reason: names(1) }, ["reason"]],
    ],
  },
];

function withIdentity(rows: ParamsTable["refused"]): ParamsTable["refused"] {
  return rows.map(([why, params, paths]) => [why, { plugin_identity: "a/b", ...params }, paths]);
}
