import type { Page, PageArgs } from '../db/pages.ts'
import {
  changeCursor,
  changePages,
  changesByPosition,
  type ListingSummary,
  listingsById,
  listingsOfProspects,
  prospectsById,
  prospectsOfCases,
} from '../db/prospectDetails.ts'
import type { ProspectFilter } from '../db/prospectFilter.ts'
import { defaultProspectOrder, type ProspectOrder } from '../db/prospectOrder.ts'
import { prospectPages } from '../db/prospectPages.ts'
import type { ProspectChangeRow, ProspectRow } from '../db/tables.ts'
import { distinct, inGroups, inOrder } from './batches.ts'
import type { Context } from './context.ts'
import { type ProspectFilterArg, prospectFilter } from './filters.ts'

export { changeCursor }

export type ProspectPageArgs = PageArgs & {
  filter?: ProspectFilterArg | null | undefined
  orderBy?: ProspectOrder | null | undefined
}

export async function loadProspects(ids: readonly string[], { db }: Context): Promise<(ProspectRow | null)[]> {
  return inOrder(ids, await prospectsById(db, distinct(ids)), (row) => row.id)
}

export async function prospects(args: ProspectPageArgs, context: Context): Promise<Page<ProspectRow>> {
  const [page] = await pagesWithin([{}], args, context)
  return page as Page<ProspectRow>
}

/** The same page of prospects for each county. */
export async function loadProspectsOfCounties(
  fips: readonly string[],
  args: ProspectPageArgs,
  context: Context,
): Promise<Page<ProspectRow>[]> {
  const parents = fips.map((code) => ({ places: [{ fips: code }] }))
  return await pagesWithin(parents, args, context)
}

/** The same page, for each job, of the prospects it saved. */
export async function loadProspectsOfJobs(
  jobIds: readonly string[],
  args: ProspectPageArgs,
  context: Context,
): Promise<Page<ProspectRow>[]> {
  const parents = jobIds.map((jobId) => ({ jobId }))
  return await pagesWithin(parents, args, context)
}

export async function loadListings(ids: readonly string[], { db }: Context): Promise<(ListingSummary | null)[]> {
  return inOrder(ids, await listingsById(db, distinct(ids)), (row) => row.id)
}

export async function loadListingsOfProspects(ids: readonly string[], { db }: Context): Promise<ListingSummary[][]> {
  return inGroups(ids, await listingsOfProspects(db, distinct(ids)), (row) => row.prospectId)
}

export async function loadChanges(keys: readonly string[], { db }: Context): Promise<(ProspectChangeRow | null)[]> {
  const positions = distinct(keys).map(Number)
  return inOrder(keys, await changesByPosition(db, positions), (row) => String(row.position))
}

export async function loadChangesOfProspects(
  ids: readonly string[],
  args: PageArgs,
  { db }: Context,
): Promise<Page<ProspectChangeRow>[]> {
  return await changePages(db, ids, args)
}

/** For each prospect the others of its county and case; none where it has no case number. */
export async function loadSameCases(rows: readonly ProspectRow[], { db }: Context): Promise<ProspectRow[][]> {
  const key = (row: { countyFips: string; caseKey: string | null }): string => `${row.countyFips}:${row.caseKey}`
  const cases = rows.flatMap(({ countyFips, caseKey }) => (caseKey === null ? [] : [{ countyFips, caseKey }]))
  if (cases.length === 0) return rows.map(() => [])
  const wanted = new Map(cases.map((one) => [key(one), one]))
  const groups = Map.groupBy(await prospectsOfCases(db, [...wanted.values()]), key)
  return rows.map((row) => (groups.get(key(row)) ?? []).filter((other) => other.id !== row.id))
}

async function pagesWithin(
  parents: readonly ProspectFilter[],
  args: ProspectPageArgs,
  { db }: Context,
): Promise<Page<ProspectRow>[]> {
  const filter = prospectFilter(args.filter)
  return await prospectPages(
    db,
    parents.map((parent) => [filter, parent]),
    args.orderBy ?? defaultProspectOrder,
    args,
  )
}
