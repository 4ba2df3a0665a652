import { readFile } from 'node:fs/promises'
import { type Kysely, sql } from 'kysely'

/**
 * The 50 states and the District of Columbia, and their 3,144 counties and county equivalents with their time zones.
 * migrations/data/README.md says where the two files come from.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const states = await readColumns('us-states.csv', ['fips', 'code', 'name'])
  await sql`
    insert into states (fips, code, name)
    select * from unnest(${states['fips']}::text[], ${states['code']}::text[], ${states['name']}::text[])`.execute(db)
  const counties = await readColumns('us-counties.csv', ['fips', 'state', 'name', 'timezone'])
  await sql`
    insert into counties (fips, state_code, name, timezone)
    select * from unnest(${counties['fips']}::text[], ${counties['state']}::text[], ${counties['name']}::text[],
      ${counties['timezone']}::text[])`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  const counties = await readColumns('us-counties.csv', ['fips', 'state', 'name', 'timezone'])
  await sql`delete from counties where fips = any(${counties['fips']}::text[])`.execute(db)
  const states = await readColumns('us-states.csv', ['fips', 'code', 'name'])
  await sql`delete from states where fips = any(${states['fips']}::text[])`.execute(db)
}

/**
 * A file of migrations/data/ by columns. Its values hold neither commas nor quotes, so that a line splits at its
 * commas. Throws when the header or the number of cells in a line is another.
 */
async function readColumns(file: string, header: readonly string[]): Promise<Record<string, string[]>> {
  const text = await readFile(new URL(`data/${file}`, import.meta.url), 'utf8')
  const [first, ...lines] = text.trimEnd().split(/\r?\n/)
  if (first !== header.join(',')) throw new Error(`${file}: expected the header ${header.join(',')}, found ${first}`)
  const rows = lines.map((line) => line.split(','))
  const odd = rows.findIndex((row) => row.length !== header.length)
  if (odd >= 0) throw new Error(`${file}: line ${odd + 2} has not ${header.length} cells`)
  return Object.fromEntries(header.map((name, column) => [name, rows.map((row) => row[column] ?? '')]))
}
