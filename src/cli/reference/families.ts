// The methods in the order in which a reader meets them. A method that no family names goes to the
// family of its prefix, so that a new one is on the page without a change here.

interface Family {
  id: string;
  title: string;
  words: string;
  named: readonly string[];
  prefixes: readonly string[];
}

export interface PlacedFamily<M> extends Omit<Family, "named" | "prefixes"> {
  methods: M[];
}

const families: readonly Family[] = [
  {
    id: "connection",
    title: "Connection and plugins",
    words: "Who is calling, and the identities that may.",
    named: ["plugin_connect", "ping", "rpc.discover"],
    prefixes: ["plugin_"],
  },
  {
    id: "creating",
    title: "Creating runs",
    words: "Each of them stores the run durably before it answers, and is safe to repeat.",
    named: ["run_create", "run_retry", "event_publish"],
    prefixes: [],
  },
  {
    id: "reading",
    title: "Reading and steering runs from outside",
    words: "For surfaces, administrators, and runs that look at their siblings.",
    named: ["run_get", "run_list", "run_events_page", "run_wait", "run_cancel"],
    prefixes: ["run_"],
  },
  {
    id: "claims",
    title: "Claims",
    words: "A worker holds a run by a lease, and proves it with every write.",
    named: ["run_claim", "run_renew_claim", "run_release_claim"],
    prefixes: [],
  },
  {
    id: "results",
    title: "Results",
    words: "What an executor says about its run, numbered by itself; and its end.",
    named: ["run_emit_result", "run_append_result", "run_finalize"],
    prefixes: [],
  },
  {
    id: "fleet",
    title: "Runners and runtimes",
    words: "Which code a plugin declares, and which processes take work.",
    named: [],
    prefixes: ["runner_", "runtime_"],
  },
  {
    id: "history",
    title: "History and events",
    words: "What was said and what came in, within the scope of the caller's run.",
    named: ["prompt_get"],
    prefixes: ["history_", "event_"],
  },
  {
    id: "steering",
    title: "Steering",
    words: "What comes in for a run while it is being worked on.",
    named: [],
    prefixes: ["steering_"],
  },
  {
    id: "state",
    title: "State",
    words: "Values that outlive the run: of its conversation, actor, subject or runner.",
    named: [],
    prefixes: ["state_"],
  },
  {
    id: "interactions",
    title: "Interactions",
    words: "What a run asks a person, and the answer.",
    named: [],
    prefixes: ["interaction_"],
  },
  {
    id: "statistics",
    title: "Statistics and audit",
    words: "For those who operate a host.",
    named: ["run_stats", "runner_stats", "runtime_stats", "audit_page"],
    prefixes: [],
  },
];

const others: Family = {
  id: "others", title: "Others", words: "Whatever else the host serves.", named: [], prefixes: [],
};

export function placeMethods<M extends { name: string }>(methods: readonly M[]): PlacedFamily<M>[] {
  const familyOf = ({ name }: M): Family =>
    families.find(({ named }) => named.includes(name))
    ?? families.find(({ prefixes }) => prefixes.some((prefix) => name.startsWith(prefix)))
    ?? others;
  const placed = [...families, others].map((family) => {
    const { named, prefixes: _, ...shown } = family;
    const own = methods.filter((method) => familyOf(method) === family);
    const first = named.flatMap((name) => own.filter((method) => method.name === name));
    return { ...shown, methods: [...new Set([...first, ...own])] };
  });
  return placed.filter((family) => family.methods.length > 0);
}
