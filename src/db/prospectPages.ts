import type { CsvRow } from './csvRows.ts'
import type { Database } from './database.ts'
import { orderedParts, type Page, type PageArgs, readPages } from './pages.ts'
import { type ProspectFilter, prospectConditions } from './prospectFilter.ts'
import { type ProspectOrder, prospectOrder } from './prospectOrder.ts'
import type { ProspectRow } from './tables.ts'

/** For each list of filters, ANDed, a page of prospects. */
export async function prospectPages(
  db: Database,
  filters: readonly (readonly ProspectFilter[])[],
  order: ProspectOrder,
  args: PageArgs,
): Promise<Page<ProspectRow>[]> {
  const sources = filters.map((anded) => prospectsMatching(db, anded))
  return await readPages(db, sources, prospectOrder(order), args)
}

/** Every prospect that matches, with its county's name, in order: queries to be read one after the other. */
export function prospectsInOrder(db: Database, filter: ProspectFilter, order: ProspectOrder) {
  const rows = prospectsMatching(db, [filter]).select((eb) =>
    eb
      .selectFrom('counties')
      .select('counties.name')
      .whereRef('counties.fips', '=', 'prospects.countyFips')
      .$asScalar()
      .$notNull()
      .as('countyName'),
  )
  return orderedParts<CsvRow, 'prospects'>(rows, prospectOrder(order))
}

function prospectsMatching(db: Database, anded: readonly ProspectFilter[]) {
  let rows = db.selectFrom('prospects').selectAll('prospects')
  for (const filter of anded) {
    for (const condition of prospectConditions(filter)) rows = rows.where(condition)
  }
  return rows
}
