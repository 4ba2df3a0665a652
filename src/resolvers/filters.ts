import type { CoverageFilter } from '../db/coverage.ts'
import type { JobErrorFilter } from '../db/errorPages.ts'
import type { ExecutionFilter } from '../db/executionPages.ts'
import type { DateFilter, InstantFilter, Place } from '../db/filters.ts'
import { refuseEmptyLists } from '../db/filters.ts'
import type { JobFilter } from '../db/jobPages.ts'
import type { DecimalFilter, filteredAmounts, ProspectFilter } from '../db/prospectFilter.ts'
import type { ScrapeUrlFilter } from '../db/scrapeUrls.ts'
import type {
  AuctionStatus,
  AuctionType,
  BuyerType,
  DayOutcome,
  ErrorCategory,
  ExecutionStatus,
  JobStatus,
  SitePlatform,
} from '../domain.ts'
import type { InputIssue } from '../engine/outcome.ts'
import { keysOf, oneKeyOf } from './globalIds.ts'
import { badUserInput } from './refusals.ts'

type Given<T> = T | null | undefined

export interface PlaceArg {
  state?: Given<string>
  county?: Given<{ state: string; name: string }>
  countyId?: Given<string>
}

export interface JobFilterArg {
  ids?: Given<string[]>
  status?: Given<JobStatus[]>
  places?: Given<PlaceArg[]>
  scrapeUrlIds?: Given<string[]>
  platform?: Given<SitePlatform[]>
  scheduleId?: Given<string>
  dates?: Given<DateFilter>
  errorCode?: Given<string[]>
  search?: Given<string>
  held?: Given<boolean>
  createdBy?: Given<string>
  batchId?: Given<string>
  createdAt?: Given<InstantFilter>
  updatedAt?: Given<InstantFilter>
}

export interface ScrapeUrlFilterArg {
  places?: Given<PlaceArg[]>
  platform?: Given<SitePlatform[]>
  active?: Given<boolean>
  search?: Given<string>
}

export interface ExecutionFilterArg {
  status?: Given<ExecutionStatus[]>
  jobId?: Given<string>
  startedAt?: Given<InstantFilter>
}

export interface JobErrorFilterArg {
  category?: Given<ErrorCategory[]>
  retryable?: Given<boolean>
  jobId?: Given<string>
  occurredAt?: Given<InstantFilter>
}

export interface CoverageFilterArg {
  places?: Given<PlaceArg[]>
  scrapeUrlIds?: Given<string[]>
  outcome?: Given<DayOutcome[]>
  stale?: Given<boolean>
}

export interface ProspectFilterArg extends Partial<Record<(typeof filteredAmounts)[number], Given<DecimalFilter>>> {
  anyOf?: Given<ProspectFilterArg[]>
  ids?: Given<string[]>
  places?: Given<PlaceArg[]>
  scrapeUrlIds?: Given<string[]>
  jobId?: Given<string>
  auctionDate?: Given<DateFilter>
  auctionStatus?: Given<AuctionStatus[]>
  auctionType?: Given<AuctionType[]>
  listed?: Given<boolean>
  caseNumber?: Given<string>
  parcelId?: Given<string>
  certificateNumber?: Given<string>
  auctionId?: Given<string>
  soldTo?: Given<string>
  city?: Given<string>
  zip?: Given<string>
  buyerType?: Given<BuyerType[]>
  search?: Given<string>
  firstSeenAt?: Given<InstantFilter>
  updatedAt?: Given<InstantFilter>
}

/** The filters of the contract as the database takes them. They throw BAD_USER_INPUT for ids that are none. */
export function jobFilter(arg: Given<JobFilterArg>): JobFilter {
  refuseEmptyLists(arg)
  const { ids, places, scrapeUrlIds, scheduleId, createdBy, batchId, ...rest } = arg ?? {}
  return {
    ...rest,
    ids: ids && keysOf('ScrapingJob', ids, ['filter', 'ids']),
    places: placesOf(places),
    scrapeUrlIds: scrapeUrlIds && keysOf('CountyScrapeUrl', scrapeUrlIds, ['filter', 'scrapeUrlIds']),
    scheduleId: scheduleId == null ? null : oneKeyOf('Schedule', scheduleId, ['filter', 'scheduleId']),
    batchId: batchId == null ? null : oneKeyOf('JobBatch', batchId, ['filter', 'batchId']),
    createdBy: createdBy == null ? null : oneKeyOf('User', createdBy, ['filter', 'createdBy']),
  }
}

export function scrapeUrlFilter(arg: Given<ScrapeUrlFilterArg>): ScrapeUrlFilter {
  refuseEmptyLists(arg)
  return { ...arg, places: placesOf(arg?.places) }
}

export function executionFilter(arg: Given<ExecutionFilterArg>): ExecutionFilter {
  refuseEmptyLists(arg)
  return { ...arg, jobId: arg?.jobId == null ? null : oneKeyOf('ScrapingJob', arg.jobId, ['filter', 'jobId']) }
}

export function jobErrorFilter(arg: Given<JobErrorFilterArg>): JobErrorFilter {
  refuseEmptyLists(arg)
  return { ...arg, jobId: arg?.jobId == null ? null : oneKeyOf('ScrapingJob', arg.jobId, ['filter', 'jobId']) }
}

export function coverageFilter(arg: Given<CoverageFilterArg>): CoverageFilter {
  refuseEmptyLists(arg)
  const { places, scrapeUrlIds, ...rest } = arg ?? {}
  return {
    ...rest,
    places: placesOf(places),
    scrapeUrlIds: scrapeUrlIds && keysOf('CountyScrapeUrl', scrapeUrlIds, ['filter', 'scrapeUrlIds']),
  }
}

export function prospectFilter(arg: Given<ProspectFilterArg>): ProspectFilter {
  refuseEmptyLists(arg)
  const issues = prospectIssues(arg ?? {}, ['filter'])
  if (issues.length > 0) throw badUserInput(issues)
  return prospectFilterAt(arg ?? {}, ['filter'])
}

export function placesOf(places: Given<PlaceArg[]>, path: readonly string[] = ['filter']): Place[] | null {
  if (places == null) return null
  return places.map((place, i) => {
    if (place.county) return { state: place.county.state, county: place.county.name }
    if (place.countyId) return { fips: oneKeyOf('County', place.countyId, [...path, 'places', String(i), 'countyId']) }
    return { state: place.state ?? '' }
  })
}

/** Alternatives of one filter, characters of its texts, and words of a search. */
const most = { alternatives: 8, characters: 200, words: 16 }

const numbers = ['caseNumber', 'parcelId', 'certificateNumber', 'auctionId'] as const
const texts = ['soldTo', 'city', 'zip', 'search'] as const

function prospectFilterAt(arg: ProspectFilterArg, path: string[]): ProspectFilter {
  const { anyOf, ids, places, scrapeUrlIds, jobId, ...rest } = arg
  return {
    ...rest,
    anyOf: anyOf?.map((one, i) => prospectFilterAt(one, [...path, 'anyOf', String(i)])),
    ids: ids && keysOf('Prospect', ids, [...path, 'ids']),
    places: placesOf(places, path),
    scrapeUrlIds: scrapeUrlIds && keysOf('CountyScrapeUrl', scrapeUrlIds, [...path, 'scrapeUrlIds']),
    jobId: jobId == null ? null : oneKeyOf('ScrapingJob', jobId, [...path, 'jobId']),
  }
}

/** What is wrong besides empty lists and ids that are none. */
function prospectIssues(arg: ProspectFilterArg, path: string[]): InputIssue[] {
  const issues: InputIssue[] = []
  const add = (name: string, message: string) => issues.push({ path: [...path, name], message })
  for (const name of numbers) {
    if (arg[name] != null && !/[A-Za-z0-9]/.test(arg[name])) add(name, 'must have a letter or a digit')
  }
  for (const name of [...numbers, ...texts]) {
    if ((arg[name]?.length ?? 0) > most.characters) add(name, `must have at most ${most.characters} characters`)
  }
  if ((arg.search?.trim().split(/\s+/).length ?? 0) > most.words) {
    add('search', `must have at most ${most.words} words`)
  }
  const nested = path.length > 1
  if (arg.anyOf != null && nested) add('anyOf', 'must not be within anyOf')
  else if ((arg.anyOf?.length ?? 0) > most.alternatives) add('anyOf', `must be at most ${most.alternatives}`)
  else
    for (const [i, one] of (arg.anyOf ?? []).entries()) {
      issues.push(...prospectIssues(one, [...path, 'anyOf', String(i)]))
    }
  return issues
}
