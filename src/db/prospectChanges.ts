import { type Expression, type SqlBool, sql } from 'kysely'
import type { AuctionStatus, AuctionType, ChangeKind } from '../domain.ts'
import type { Database } from './database.ts'
import { inPlaces, oneOf, type Place } from './filters.ts'
import { columnKey, keysOfCursor, type Page, type PageArgs, plainOrder, RefusedInputError, readPage } from './pages.ts'
import type { ProspectChangeRow } from './tables.ts'

/** Judged on the change as it was stored. Values within a list are ORed. */
export interface ProspectChangeFilter {
  places?: readonly Place[] | null | undefined
  /** Seen at one of these. */
  scrapeUrlIds?: readonly string[] | null | undefined
  prospectIds?: readonly string[] | null | undefined
  jobId?: string | null | undefined
  /** The prospect's after the change. */
  auctionType?: readonly AuctionType[] | null | undefined
  kind?: readonly ChangeKind[] | null | undefined
  /** One of these fields changed. */
  fields?: readonly string[] | null | undefined
  /** The status changed from one of these, and to one of those. */
  statusFrom?: readonly AuctionStatus[] | null | undefined
  statusTo?: readonly AuctionStatus[] | null | undefined
}

/** The changes after a cursor are not kept any longer: whoever resumes there would miss some. */
export class CursorExpiredError extends Error {
  override name = 'CursorExpiredError'
}

/** Oldest first: the order in which they were committed. A cursor is a place among all changes, in any list of them. */
export const commitOrder = plainOrder<ProspectChangeRow>('POSITION', 'asc', [
  columnKey('prospectChanges.position', 'integer', (row) => row.position),
])

/**
 * The position a cursor stands for. Throws RefusedInputError for what is no cursor of a change, and CursorExpiredError
 * for one with changes after it that are gone.
 */
export async function positionOf(db: Database, cursor: string): Promise<number> {
  const [position] = keysOfCursor(cursor, commitOrder, 'after') as [number]
  const { oldest, newest } = await keptPositions(db)
  if (position > newest) throw new RefusedInputError([{ path: ['after'], message: 'is beyond the newest change' }])
  if (position < oldest - 1) throw new CursorExpiredError('Changes after this cursor are no longer kept.')
  return position
}

/** The positions of the changes that are kept; `oldest` is one beyond `newest` where there are none. */
export async function keptPositions(db: Database): Promise<{ oldest: number; newest: number }> {
  const { rows } = await sql<{ oldest: number; newest: number }>`
    select c.position as newest, coalesce((select min(p.position) from prospect_changes p), c.position + 1) as oldest
    from prospect_change_counter c`.execute(db)
  const [row] = rows
  if (!row) throw new Error('the counter of changes is gone')
  return row
}

/** A page of the changes since an instant, oldest first. Throws as positionOf does for its cursor. */
export async function prospectChangePage(
  db: Database,
  filter: ProspectChangeFilter,
  since: Date | null,
  args: PageArgs,
): Promise<Page<ProspectChangeRow>> {
  if (args.after != null) await positionOf(db, args.after)
  const rows = changesMatching(db, filter)
  return await readPage(db, since === null ? rows : rows.where(happenedSince(since)), commitOrder, args)
}

/**
 * The matching changes beyond `after` up to `upTo`, in order, at most `limit`. Throws CursorExpiredError when changes
 * beyond `after` are gone.
 */
export async function readChanges(
  db: Database,
  filter: ProspectChangeFilter,
  { after, upTo, limit }: { after: number; upTo: number; limit: number },
): Promise<ProspectChangeRow[]> {
  const rows = await changesMatching(db, filter)
    .where('prospectChanges.position', '>', after)
    .where('prospectChanges.position', '<=', upTo)
    .orderBy('prospectChanges.position')
    .limit(limit)
    .execute()
  // Looked at afterwards: what was there now, was there while it was read.
  const { oldest } = await keptPositions(db)
  if (after < oldest - 1) throw new CursorExpiredError('Changes after this cursor are no longer kept.')
  return rows
}

/** A filter whose places are the counties they stand for: what `matchesChange` takes. */
export type LocatedFilter = Omit<ProspectChangeFilter, 'places'> & { counties: ReadonlySet<string> | null }

export async function locate(db: Database, filter: ProspectChangeFilter): Promise<LocatedFilter> {
  const { places, ...rest } = filter
  if (places == null) return { ...rest, counties: null }
  let counties = db.selectFrom('counties').select('counties.fips')
  for (const condition of inPlaces(places, { fips: 'counties.fips', state: 'counties.stateCode' })) {
    counties = counties.where(condition)
  }
  return { ...rest, counties: new Set((await counties.execute()).map((row) => row.fips)) }
}

/** Judges a change in memory, as the conditions in SQL do. */
export function matchesChange(filter: LocatedFilter, change: ProspectChangeRow): boolean {
  const among = <T>(values: readonly T[] | null | undefined, value: T | null): boolean =>
    values == null || (value !== null && values.includes(value))
  const status = change.fields.find((one) => one.field === 'auctionStatus')
  return (
    (filter.counties?.has(change.countyFips) ?? true) &&
    among(filter.scrapeUrlIds, change.scrapeUrlId) &&
    among(filter.prospectIds, change.prospectId) &&
    (filter.jobId == null || filter.jobId === change.jobId) &&
    among(filter.auctionType, change.auctionType) &&
    among(filter.kind, change.kind) &&
    (filter.fields == null || change.fields.some((one) => among(filter.fields, one.field))) &&
    among<string>(filter.statusFrom, status?.before ?? null) &&
    among<string>(filter.statusTo, status?.after ?? null)
  )
}

function changesMatching(db: Database, filter: ProspectChangeFilter) {
  let rows = db.selectFrom('prospectChanges').selectAll('prospectChanges')
  const conditions = [
    ...inPlaces(filter.places, { fips: 'prospectChanges.countyFips' }),
    ...oneOf('prospectChanges.scrapeUrlId', filter.scrapeUrlIds),
    ...oneOf('prospectChanges.prospectId', filter.prospectIds),
    ...oneOf('prospectChanges.jobId', filter.jobId == null ? null : [filter.jobId]),
    ...oneOf('prospectChanges.auctionType', filter.auctionType),
    ...oneOf('prospectChanges.kind', filter.kind),
    ...withField(oneOf('f.field', filter.fields)),
    ...withField(statusChanged(oneOf('f.before', filter.statusFrom))),
    ...withField(statusChanged(oneOf('f.after', filter.statusTo))),
  ]
  for (const condition of conditions) rows = rows.where(condition)
  return rows
}

function statusChanged(conditions: readonly Expression<SqlBool>[]): Expression<SqlBool>[] {
  return conditions.map((condition) => sql<SqlBool>`f.field = 'auctionStatus' and ${condition}`)
}

function withField(conditions: readonly Expression<SqlBool>[]): Expression<SqlBool>[] {
  return conditions.map(
    (condition) => sql<SqlBool>`exists (
      select from jsonb_to_recordset(${sql.ref('prospectChanges.fields')}) as f (field text, before text, after text)
      where ${condition})`,
  )
}

/**
 * Changes are dated by the time of their save and placed by its commit. The walk begins at the first place of the
 * hour that follows the first date: no save takes that long, and what comes before it need not be read.
 */
function happenedSince(since: Date): Expression<SqlBool> {
  return sql<SqlBool>`prospect_changes.at >= ${since} and prospect_changes.position >= (
    select min(p.position) from prospect_changes p,
      (select f.at from prospect_changes f where f.at >= ${since} order by f.at limit 1) first
    where p.at >= first.at and p.at < first.at + interval '1 hour')`
}
