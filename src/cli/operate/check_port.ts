// Checks the port on which a host would listen: free, a host's already, or another program's.

import { createServer } from "node:net";
import type { Config } from "../../config.js";
import { authorityOf } from "../reach.js";
import { fail, ok, warn, type Finding } from "./finding.js";

const answer_ms = 2000;

export async function checkPort({ host, port }: Config): Promise<Finding> {
  if (port === 0) return ok("port", "0: a host picks a free one");
  const url = `http://${authorityOf(host, port)}`;
  const health = await ask(`${url}/healthz`);
  if (health === "refused") return tryListening(host, port);
  if (health !== "no answer" && (health as { ok?: unknown } | null)?.ok === true) {
    const version = readVersion(await ask(`${url}/openrpc.json`));
    if (version !== null) return describeHost(url, version);
  }
  const found = `another program listens at ${authorityOf(host, port)}`;
  return fail("port", found, "stop it, or name another RUNHOST_PORT");
}

async function describeHost(url: string, version: string): Promise<Finding> {
  const found = `a host of version ${version} answers at ${url}`;
  const readiness = (await ask(`${url}/readyz`)) as { ready?: unknown; reason?: unknown } | null;
  if (readiness?.ready === true) return ok("port", found);
  const reason = typeof readiness?.reason === "string" ? readiness.reason : "it does not say why";
  return warn("port", `${found}, which is not ready`, reason.slice(0, 200));
}

function readVersion(document: unknown): string | null {
  const { info } = (document ?? {}) as { info?: { title?: unknown; version?: unknown } };
  if (info?.title !== "runhost" || typeof info.version !== "string") return null;
  return info.version.slice(0, 50);
}

/** JSON; null when it is something else. */
async function ask(url: string): Promise<unknown> {
  try {
    const signal = AbortSignal.timeout(answer_ms);
    const answer = await fetch(url, { signal, redirect: "manual" });
    const text = await answer.text();
    return parse(text);
  } catch (thrown) {
    const { cause } = thrown as { cause?: { code?: string; errors?: { code?: string }[] } };
    const codes = [cause?.code, ...(cause?.errors ?? []).map(({ code }) => code)];
    const unheard = ["ECONNREFUSED", "ENOTFOUND", "EADDRNOTAVAIL", "EHOSTUNREACH", "ENETUNREACH"];
    return codes.some((code) => unheard.includes(code ?? "")) ? "refused" : "no answer";
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function tryListening(host: string, port: number): Promise<Finding> {
  const server = createServer();
  const code = await new Promise<string | null>((resolve) => {
    server.once("error", (cause: NodeJS.ErrnoException) => resolve(cause.code ?? cause.message));
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
  const where = authorityOf(host, port);
  if (code === null) return ok("port", `${where} is free`);
  const advice = code === "EADDRINUSE" || code === "EACCES"
    ? "name another RUNHOST_PORT"
    : "name an address of this machine in RUNHOST_HOST";
  return fail("port", `a host cannot listen at ${where} (${code})`, advice);
}
