import {
  coverageOfCounties,
  coveragePage,
  type DayRange,
  prospectsOfDays,
  readsOfDays,
  type SiteDay,
} from '../db/coverage.ts'
import type { Page, PageArgs } from '../db/pages.ts'
import type { ScrapeDayRow } from '../db/tables.ts'
import { dayRangeIssues } from '../engine/dayRange.ts'
import { distinct, inGroups } from './batches.ts'
import type { Context } from './context.ts'
import { type CoverageFilterArg, coverageFilter } from './filters.ts'
import { loadDays } from './jobs.ts'
import { badUserInput } from './refusals.ts'

export { daysIn, mostDays } from '../engine/dayRange.ts'

/** A page of the dates of a range at the active sites. */
export async function coverage(
  args: DayRange & PageArgs & { filter?: CoverageFilterArg | null | undefined },
  { db }: Context,
): Promise<Page<SiteDay>> {
  checkRange(args)
  return await coveragePage(db, args, coverageFilter(args.filter), args)
}

/** For each county the dates of a range at its active sites. */
export async function loadCoverageOfCounties(
  fips: readonly string[],
  range: DayRange,
  { db }: Context,
): Promise<SiteDay[][]> {
  checkRange(range)
  return inGroups(fips, await coverageOfCounties(db, range, distinct(fips)), (day) => day.countyFips)
}

/** The newest read of each day, or the newest that was complete; null where there is none. */
export async function loadReads(
  which: 'latestId' | 'lastCompleteId',
  days: readonly SiteDay[],
  context: Context,
): Promise<(ScrapeDayRow | null)[]> {
  const ids = (await readsOfDays(context.db, days)).map((reads) => reads[which])
  const known = ids.filter((id) => id !== null)
  const rows = known.length === 0 ? [] : await loadDays(known, context)
  const byId = new Map(rows.flatMap((row) => (row ? [[row.id, row]] : [])))
  return ids.map((id) => byId.get(id ?? '') ?? null)
}

export async function loadStale(days: readonly SiteDay[], { db }: Context): Promise<boolean[]> {
  return (await readsOfDays(db, days)).map((reads) => reads.stale)
}

export async function loadProspectCounts(days: readonly SiteDay[], { db }: Context): Promise<number[]> {
  return await prospectsOfDays(db, days)
}

function checkRange(range: DayRange): void {
  const issues = dayRangeIssues(range)
  if (issues.length > 0) throw badUserInput(issues)
}
