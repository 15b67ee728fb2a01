// The configuration as the host understands it, without its secrets.

import { variableOf, type Config } from "../../config.js";

/** By variable; null where it is not set. */
export type Settings = Record<string, string | number | boolean | null>;

const hidden = "***";

export function describeSettings(config: Config): Settings {
  const { bounds: _, admin_plugins, admin_token, database_url, allowed_origins, ...plain } = config;
  const known = Object.entries(plain).map(([key, value]) => [variableOf(key), value]);
  return {
    DATABASE_URL: database_url === null ? null : redactDatabaseUrl(database_url),
    ...Object.fromEntries(known),
    RUNHOST_ADMIN_TOKEN: admin_token === null ? null : hidden,
    RUNHOST_ALLOWED_ORIGINS: allowed_origins.join(",") || null,
    admin_plugins: admin_plugins.map(({ identity }) => identity).join(",") || null,
  };
}

/** Shows who connects where: no password, and of the parameters, which may hold one too, only how
    the connection is secured. */
export function redactDatabaseUrl(url: string): string {
  const found = /^(postgres(?:ql)?:\/\/)([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?/.exec(url);
  if (found === null) return hidden;
  const [, scheme = "", authority = "", path = "", query = ""] = found;
  // A password with an unescaped ? or # ends up in the wrong part.
  if (url.slice(scheme.length + authority.length).includes("@")) return `${scheme}${hidden}`;
  const at = authority.lastIndexOf("@");
  const [user, ...password] = authority.slice(0, Math.max(at, 0)).split(":");
  const who = password.length === 0 ? user : `${user}:${hidden}`;
  const where = authority.slice(at + 1);
  const shown = query.split("&").filter((part) => /^ssl(mode)?=[\w-]+$/.test(part)).join("&");
  return `${scheme}${at < 0 ? "" : `${who}@`}${where}${path}${shown === "" ? "" : `?${shown}`}`;
}
