import { type SqlBool, sql } from 'kysely'
import type { AuctionStatus, AuctionType } from '../domain.ts'
import type { Database } from './database.ts'
import { type DateFilter, dateIn, type InstantFilter, inPlaces, instantIn, oneOf, type Place } from './filters.ts'
import { columnKey, type Order, type Page, type PageArgs, plainOrder, readPages, type SortKey } from './pages.ts'
import type { ProspectRow } from './tables.ts'

export interface ProspectFilter {
  ids?: readonly string[] | null | undefined
  places?: readonly Place[] | null | undefined
  /** Seen at one of these, in a listing that was not closed. */
  scrapeUrlIds?: readonly string[] | null | undefined
  /** Saved by this job, also when a later job saw it again. */
  jobId?: string | null | undefined
  auctionDate?: DateFilter | null | undefined
  auctionStatus?: readonly AuctionStatus[] | null | undefined
  auctionType?: readonly AuctionType[] | null | undefined
  listed?: boolean | null | undefined
  firstSeenAt?: InstantFilter | null | undefined
  updatedAt?: InstantFilter | null | undefined
}

export type ProspectOrderField = 'AUCTION_DATE' | 'FIRST_SEEN_AT' | 'UPDATED_AT'
export interface ProspectOrder {
  field: ProspectOrderField
  direction: 'ASC' | 'DESC'
}

/** By auction date, rows without one last. */
export const defaultProspectOrder: ProspectOrder = { field: 'AUCTION_DATE', direction: 'ASC' }

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

function prospectsMatching(db: Database, anded: readonly ProspectFilter[]) {
  let rows = db.selectFrom('prospects').selectAll('prospects')
  for (const filter of anded) {
    const conditions = [
      ...oneOf('prospects.id', filter.ids),
      ...inPlaces(filter.places, { fips: 'prospects.countyFips', state: 'prospects.countyState' }),
      ...dateIn('prospects.auctionDate', filter.auctionDate),
      ...oneOf('prospects.auctionStatus', filter.auctionStatus),
      ...oneOf('prospects.auctionType', filter.auctionType),
      ...seenAt(filter.scrapeUrlIds),
      ...savedBy(filter.jobId),
      ...instantIn('prospects.firstSeenAt', filter.firstSeenAt),
      ...instantIn('prospects.updatedAt', filter.updatedAt),
    ]
    for (const condition of conditions) rows = rows.where(condition)
    if (filter.listed != null) rows = rows.where('prospects.listed', '=', filter.listed)
  }
  return rows
}

function seenAt(scrapeUrlIds: readonly string[] | null | undefined) {
  return oneOf('l.scrapeUrlId', scrapeUrlIds).map(
    (condition) => sql<SqlBool>`exists (select from listings l
      where l.prospect_id = ${sql.ref('prospects.id')} and l.closed_at is null and ${condition})`,
  )
}

function savedBy(jobId: string | null | undefined) {
  if (jobId == null) return []
  return [
    sql<SqlBool>`${sql.ref('prospects.id')} in (select s.prospect_id from job_prospects s where s.job_id = ${jobId})`,
  ]
}

/** Nulls last both ways; ties by auction date, then id, in the direction of the order. */
function prospectOrder(order: ProspectOrder): Order<ProspectRow> {
  const name = `${order.field}_${order.direction}`
  const direction = order.direction === 'ASC' ? 'asc' : 'desc'
  const id = columnKey<ProspectRow>('prospects.id', 'uuid', (row) => row.id)
  if (order.field === 'AUCTION_DATE') {
    const date = sql.ref('prospects.auctionDate')
    const key = columnKey<ProspectRow>('prospects.auctionDate', 'date', (row) => row.auctionDate as string)
    return {
      name,
      direction,
      segments: [
        { where: sql<SqlBool>`${date} is not null`, keys: [key, id] },
        { where: sql<SqlBool>`${date} is null`, keys: [id] },
      ],
      segmentOf: (row) => (row.auctionDate === null ? 1 : 0),
    }
  }
  const seen =
    order.field === 'FIRST_SEEN_AT'
      ? columnKey<ProspectRow>('prospects.firstSeenAt', 'instant', (row) => row.firstSeenAt.toISOString())
      : columnKey<ProspectRow>('prospects.updatedAt', 'instant', (row) => row.updatedAt.toISOString())
  return plainOrder(name, direction, [seen, dateOrLast(direction), id])
}

/** The auction date as a key that is never null: rows without one come after the others. */
function dateOrLast(direction: 'asc' | 'desc'): SortKey<ProspectRow> {
  const last = direction === 'asc' ? 'infinity' : '-infinity'
  return {
    expression: sql`coalesce(${sql.ref('prospects.auctionDate')}, ${sql.lit(last)}::date)`,
    type: 'date',
    of: (row) => row.auctionDate ?? last,
  }
}
