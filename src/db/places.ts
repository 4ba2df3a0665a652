import { type SqlBool, sql } from 'kysely'
import type { Database } from './database.ts'
import { contains } from './filters.ts'
import { columnKey, type Page, type PageArgs, plainOrder, readPage } from './pages.ts'
import type { CountyRow, StateRow } from './tables.ts'

export interface CountyFilter {
  /** Two letters, in any case. */
  state?: string | null | undefined
  /** Contained in the county's name, without case. */
  search?: string | null | undefined
  withScrapeUrl?: boolean | null | undefined
}

/** By state, then name without case. */
const countyOrder = plainOrder<CountyRow>('STATE_NAME', 'asc', [
  columnKey('counties.stateCode', 'text', (row) => row.stateCode),
  {
    expression: sql`lower(${sql.ref('counties.name')})`,
    type: 'text',
    // As Postgres lowers it; names are ASCII but for a few letters that both lower alike.
    of: (row) => row.name.toLowerCase(),
  },
])

/** Every state, by code. */
export async function allStates(db: Database): Promise<StateRow[]> {
  return await db.selectFrom('states').selectAll().orderBy('code').execute()
}

export async function statesByCode(db: Database, codes: readonly string[]): Promise<StateRow[]> {
  return await db
    .selectFrom('states')
    .selectAll()
    .where('code', 'in', [...codes])
    .execute()
}

export async function countiesByFips(db: Database, fips: readonly string[]): Promise<CountyRow[]> {
  return await db
    .selectFrom('counties')
    .selectAll()
    .where('fips', 'in', [...fips])
    .execute()
}

/** The counties of the states, by name. */
export async function countiesOfStates(db: Database, codes: readonly string[]): Promise<CountyRow[]> {
  return await db
    .selectFrom('counties')
    .selectAll()
    .where('stateCode', 'in', [...codes])
    .orderBy('name')
    .execute()
}

/** A county by state code and name, both without case; null when there is none. */
export async function countyByName(db: Database, state: string, name: string): Promise<CountyRow | null> {
  const row = await db
    .selectFrom('counties')
    .selectAll()
    .where('stateCode', '=', state.toUpperCase())
    .where(sql`lower(name)`, '=', sql`lower(${name})`)
    .executeTakeFirst()
  return row ?? null
}

/** A page of counties by state and name. */
export async function countiesPage(db: Database, filter: CountyFilter, args: PageArgs): Promise<Page<CountyRow>> {
  let rows = db.selectFrom('counties').selectAll('counties')
  if (filter.state != null) rows = rows.where('counties.stateCode', '=', filter.state.toUpperCase())
  for (const condition of contains('counties.name', filter.search)) rows = rows.where(condition)
  if (filter.withScrapeUrl != null) {
    const sites = sql<SqlBool>`exists (select from scrape_urls u where u.county_fips = ${sql.ref('counties.fips')})`
    rows = rows.where(filter.withScrapeUrl ? sites : sql<SqlBool>`not ${sites}`)
  }
  return await readPage(db, rows, countyOrder, args)
}
