// Turns what zod finds wrong into the issues that answers carry: one dotted path per finding, an
// unknown key named by its full path, the branch of a union that was meant instead of "invalid".

import type { z } from "zod";
import type { Issue } from "./errors.js";

type Finding = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** The findings of one parse; `prefix` is the dotted path of the value that was parsed. */
export function listIssues(error: { issues: readonly Finding[] }, prefix = ""): Issue[] {
  const root: Path = prefix === "" ? [] : prefix.split(".");
  return error.issues.flatMap((finding) => describeFinding(finding, root));
}

function describeFinding(finding: Finding, root: Path): Issue[] {
  const path = [...root, ...finding.path];
  if (finding.code === "unrecognized_keys") {
    return finding.keys.map((key) => ({
      path: writePath([...path, key]),
      message: "is not a known parameter",
    }));
  }
  if (finding.code === "invalid_union") {
    const meant = finding.errors.find((branch) => branch.every((inner) => inner.path.length > 0));
    if (meant !== undefined && meant.length > 0) {
      return meant.flatMap((inner) => describeFinding(inner, path));
    }
  }
  if (finding.code === "invalid_key") {
    const reason = finding.issues[0]?.message ?? "is not a usable name";
    return [{ path: writePath(path), message: reason }];
  }
  return [{ path: writePath(path), message: finding.message }];
}

const writePath = (path: Path): string => path.map(String).join(".");
