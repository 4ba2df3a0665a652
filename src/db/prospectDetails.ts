import { type SqlBool, sql } from 'kysely'
import type { Database } from './database.ts'
import { columnKey, encodeCursor, type Page, type PageArgs, plainOrder, readPages } from './pages.ts'
import type { ListingRow, ProspectChangeRow, ProspectRow } from './tables.ts'

/** A listing without its own copy of the fields and of the raw data. */
export type ListingSummary = Pick<ListingRow, (typeof listingColumns)[number]>

const listingColumns = [
  'id',
  'prospectId',
  'scrapeUrlId',
  'siteKey',
  'sourceKey',
  'url',
  'statusText',
  'caseKey',
  'auctionDate',
  'firstSeenAt',
  'lastSeenAt',
  'delistedAt',
  'closedAt',
] as const

// Under the name of all lists of changes: a cursor is the same place in each.
const newestFirst = plainOrder<ProspectChangeRow>('POSITION', 'desc', [
  columnKey('prospectChanges.position', 'integer', (row) => row.position),
])

export async function prospectsById(db: Database, ids: readonly string[]): Promise<ProspectRow[]> {
  return await db
    .selectFrom('prospects')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
}

export async function listingsById(db: Database, ids: readonly string[]): Promise<ListingSummary[]> {
  return await db
    .selectFrom('listings')
    .select(listingColumns)
    .where('id', 'in', [...ids])
    .execute()
}

/** The prospects' listings that are not closed, oldest first. */
export async function listingsOfProspects(db: Database, ids: readonly string[]): Promise<ListingSummary[]> {
  return await db
    .selectFrom('listings')
    .select(listingColumns)
    .where('prospectId', 'in', [...ids])
    .where('closedAt', 'is', null)
    .orderBy('firstSeenAt')
    .orderBy('id')
    .execute()
}

/** What tells one case: the county and the normalised case number. */
export interface CaseOfCounty {
  countyFips: string
  caseKey: string
}

/** All prospects of the cases, by auction date (rows without one last) and lot. */
export async function prospectsOfCases(db: Database, cases: readonly CaseOfCounty[]): Promise<ProspectRow[]> {
  const wanted = sql.join(cases.map((one) => sql`(${one.countyFips}, ${one.caseKey})`))
  return await db
    .selectFrom('prospects')
    .selectAll()
    .where(sql<SqlBool>`(${sql.ref('countyFips')}, ${sql.ref('caseKey')}) in (${wanted})`)
    .orderBy('auctionDate', (order) => order.asc().nullsLast())
    .orderBy('lot')
    .execute()
}

/** For each prospect a page of its changes, newest first. */
export async function changePages(
  db: Database,
  prospectIds: readonly string[],
  args: PageArgs,
): Promise<Page<ProspectChangeRow>[]> {
  const sources = prospectIds.map((id) =>
    db.selectFrom('prospectChanges').selectAll('prospectChanges').where('prospectChanges.prospectId', '=', id),
  )
  return await readPages(db, sources, newestFirst, args)
}

export async function changesByPosition(db: Database, positions: readonly number[]): Promise<ProspectChangeRow[]> {
  return await db
    .selectFrom('prospectChanges')
    .selectAll()
    .where('position', 'in', [...positions])
    .execute()
}

/** The place of a change among all changes, oldest first. */
export function changeCursor(change: ProspectChangeRow): string {
  return encodeCursor('POSITION', 0, [change.position])
}
