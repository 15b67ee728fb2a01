// Fills a ledger by copying: one run is brought through the socket into the state that is wanted, and
// every row that hangs on it is inserted again under other run ids, by generate_series. So the copies
// are what the host itself writes, whatever columns and tables a migration adds.

/**
 * @typedef {object} Copying
 * @property {string} run_id the template's
 * @property {string} prefix of the copies; a number of eight digits follows, from 1
 * @property {number} count
 * @property {boolean} whole with everything that hangs on the run, else what each run has once
 * @property {Record<string, string>} [columns] SQL by column, over the number `n`
 *
 * @typedef {{ name: string, columns: { name: string, type: string, once: boolean }[] }} Table
 */

const step = 100_000;
/** From here on it pays to build the indexes afterwards. */
const many = 100_000;

/**
 * @param {import("postgres").Sql} sql
 * @param {Copying} copying
 * @param {(line: string) => void} say
 */
export async function copyRuns(sql, copying, say) {
  const tables = await findTables(sql, copying);
  const names = tables.map(({ name }) => name);
  const indexes = copying.count >= many ? await dropIndexes(sql, names) : [];
  for (const table of tables) {
    for (let from = 1; from <= copying.count; from += step) {
      const to = Math.min(copying.count, from + step - 1);
      await sql.unsafe(writeInsert(table, copying, { from, to }));
      if (copying.count >= many) say(`${table.name}: ${to} of ${copying.count} runs`);
    }
  }
  for (const definition of indexes) {
    say(definition.slice(0, 70));
    await sql.unsafe(definition);
  }
  for (const name of names) await sql.unsafe(`vacuum (analyze) ${name}`);
}

/**
 * Tables that hold rows of the template, by run_id.
 * @param {import("postgres").Sql} sql
 * @param {Copying} copying
 * @returns {Promise<Table[]>}
 */
async function findTables(sql, { run_id, whole }) {
  const found = await sql`
    select c.table_name as name, json_agg(json_build_object(
      'name', c.column_name, 'type', c.data_type, 'once', exists (
        select from pg_index i join pg_attribute a
          on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
        where i.indrelid = c.table_name::regclass and i.indisunique and i.indnkeyatts = 2
          and a.attname = c.column_name and c.column_name <> 'tenant_id')))
      filter (where c.is_identity = 'NO' and c.is_generated = 'NEVER') as columns
    from information_schema.columns c join information_schema.tables t
      using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
    group by 1 order by 1`;
  /** @type {Table[]} */
  const tables = [];
  for (const { name, columns } of /** @type {any} */ (found)) {
    const id = columns.find((/** @type {any} */ column) => column.name === "run_id");
    if (id === undefined || (!whole && !id.once)) continue;
    const rows = await sql`select from ${sql(name)} where run_id = ${run_id} limit 1`;
    if (rows.length > 0) tables.push({ name, columns });
  }
  if (tables.length === 0) throw new Error(`no table holds the run ${run_id}`);
  return tables;
}

/**
 * Text that holds the template's id gets the copy's; other text that has to be unique gets a number.
 * @param {Table} table
 * @param {Copying} copying
 * @param {{ from: number, to: number }} range
 */
function writeInsert({ name, columns }, { run_id, prefix, columns: given }, { from, to }) {
  const template = quote(run_id);
  const copy = `${quote(prefix)} || lpad(n::text, 8, '0')`;
  const values = columns.map((column) => {
    const own = given?.[column.name];
    if (own !== undefined) return own;
    if (column.name === "run_id") return copy;
    if (column.type !== "text") return `t."${column.name}"`;
    const replaced = `replace(t."${column.name}", ${template}, ${copy})`;
    if (!column.once) return replaced;
    return `case when position(${template} in t."${column.name}") > 0 then ${replaced}
      else t."${column.name}" || '-' || n end`;
  });
  return `insert into ${name} (${columns.map((column) => `"${column.name}"`).join(", ")})
    select ${values.join(", ")}
    from generate_series(${from}, ${to}) n
    cross join (select * from ${name} where run_id = ${template}) t order by n`;
}

/**
 * The indexes that no constraint needs; the answer is what makes them again.
 * @param {import("postgres").Sql} sql
 * @param {readonly string[]} tables
 */
async function dropIndexes(sql, tables) {
  const found = await sql`
    select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i left join pg_constraint c on c.conindid = i.indexrelid
    where i.indrelid = any (${sql.array([...tables])}::regclass[]) and c.oid is null
      and not i.indisunique`;
  for (const { name } of found) await sql.unsafe(`drop index ${name}`);
  return found.map(({ definition }) => String(definition));
}

/** @param {string} text */
const quote = (text) => `'${text.replaceAll("'", "''")}'`;
