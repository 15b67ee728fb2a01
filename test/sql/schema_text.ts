// The schema as text, read from the catalog: tables, columns, constraints, indexes and functions, in one
// order on every server version.

import type postgres from "postgres";

interface Line {
  place: string;
  text: string;
}

const heading =
  "-- The schema after all migrations, for reading; written by `npm run schema`, compared by a test.\n";

export async function describeSchema(sql: postgres.Sql): Promise<string> {
  const columns = await sql<Line[]>`
    select c.relname as place, format('  %s %s%s%s', a.attname,
      format_type(a.atttypid, a.atttypmod),
      case when a.attidentity <> '' then ' generated always as identity'
        when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end,
      case when a.attnotnull then ' not null' else '' end) as text
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
      and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
    order by c.relname, a.attnum`;
  const constraints = await sql<Line[]>`
    select c.relname as place,
      format('  constraint %s %s', k.conname, pg_get_constraintdef(k.oid)) as text
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where c.relnamespace = 'public'::regnamespace and k.contype in ('p', 'u', 'c', 'f')
    order by c.relname, k.contype, k.conname`;
  const indexes = await sql<Line[]>`
    select c.relname as place, pg_get_indexdef(i.indexrelid) || ';' as text
    from pg_index i join pg_class c on c.oid = i.indrelid
    join pg_class x on x.oid = i.indexrelid
    where c.relnamespace = 'public'::regnamespace
      and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
    order by c.relname, x.relname`;
  const functions = await sql<{ text: string }[]>`
    select format('function %s(%s) returns %s %s;', p.proname,
      pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid),
      case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end)
      as text
    from pg_proc p where p.pronamespace = 'public'::regnamespace
    order by p.proname, pg_get_function_identity_arguments(p.oid)`;
  const tables = [...new Set(columns.map(({ place }) => place))].map((table) => {
    const inside = [...columns, ...constraints].filter(({ place }) => place === table);
    const outside = indexes.filter(({ place }) => place === table);
    const body = `create table ${table} (\n${inside.map(({ text }) => text).join(",\n")}\n);`;
    return [body, ...outside.map(({ text }) => text)].join("\n");
  });
  const listed = functions.map(({ text }) => `-- ${text}`).join("\n");
  return `${heading}\n${tables.join("\n\n")}\n\n${listed}\n`;
}
