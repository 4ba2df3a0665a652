import { refuseEmptyLists } from '../db/filters.ts'
import type { Page, PageArgs } from '../db/pages.ts'
import { type ProspectChangeFilter, positionOf, prospectChangePage } from '../db/prospectChanges.ts'
import type { ProspectChangeRow } from '../db/tables.ts'
import type { AuctionStatus, AuctionType, ChangeKind } from '../domain.ts'
import type { Context } from './context.ts'
import { type PlaceArg, placesOf } from './filters.ts'
import { keysOf, oneKeyOf } from './globalIds.ts'

type Given<T> = T | null | undefined

export interface ProspectChangeFilterArg {
  places?: Given<PlaceArg[]>
  scrapeUrlIds?: Given<string[]>
  prospectIds?: Given<string[]>
  jobId?: Given<string>
  auctionType?: Given<AuctionType[]>
  kind?: Given<ChangeKind[]>
  fields?: Given<string[]>
  statusFrom?: Given<AuctionStatus[]>
  statusTo?: Given<AuctionStatus[]>
}

export async function prospectChanges(
  args: Pick<PageArgs, 'first' | 'after'> & {
    filter?: Given<ProspectChangeFilterArg>
    since?: Given<Date>
  },
  { db }: Context,
): Promise<Page<ProspectChangeRow>> {
  const { first, after } = args
  return await prospectChangePage(db, changeFilter(args.filter), args.since ?? null, { first, after })
}

/** The changes from now on, or after a cursor. */
export async function watchProspectChanges(
  args: { filter?: Given<ProspectChangeFilterArg>; after?: Given<string> },
  { db, events }: Context,
): Promise<AsyncGenerator<ProspectChangeRow>> {
  const filter = changeFilter(args.filter)
  const after = args.after == null ? null : await positionOf(db, args.after)
  // It ends when it is returned, which is what a client's leaving comes to.
  return events.watchProspects(filter, { after, signal: new AbortController().signal })
}

function changeFilter(arg: Given<ProspectChangeFilterArg>): ProspectChangeFilter {
  refuseEmptyLists(arg)
  const { places, scrapeUrlIds, prospectIds, jobId, ...rest } = arg ?? {}
  return {
    ...rest,
    places: placesOf(places),
    scrapeUrlIds: scrapeUrlIds && keysOf('CountyScrapeUrl', scrapeUrlIds, ['filter', 'scrapeUrlIds']),
    prospectIds: prospectIds && keysOf('Prospect', prospectIds, ['filter', 'prospectIds']),
    jobId: jobId == null ? null : oneKeyOf('ScrapingJob', jobId, ['filter', 'jobId']),
  }
}
