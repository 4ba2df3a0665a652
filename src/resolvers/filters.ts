import type { JobErrorFilter } from '../db/errorPages.ts'
import type { ExecutionFilter } from '../db/executionPages.ts'
import type { DateFilter, InstantFilter, Place } from '../db/filters.ts'
import { refuseEmptyLists } from '../db/filters.ts'
import type { JobFilter } from '../db/jobPages.ts'
import type { ProspectFilter } from '../db/prospectPages.ts'
import type { ScrapeUrlFilter } from '../db/scrapeUrls.ts'
import type { AuctionStatus, AuctionType, ErrorCategory, ExecutionStatus, JobStatus, SitePlatform } from '../domain.ts'
import { keysOf, oneKeyOf } from './globalIds.ts'

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

export interface ProspectFilterArg {
  ids?: Given<string[]>
  places?: Given<PlaceArg[]>
  scrapeUrlIds?: Given<string[]>
  jobId?: Given<string>
  auctionDate?: Given<DateFilter>
  auctionStatus?: Given<AuctionStatus[]>
  auctionType?: Given<AuctionType[]>
  listed?: Given<boolean>
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

export function prospectFilter(arg: Given<ProspectFilterArg>): ProspectFilter {
  refuseEmptyLists(arg)
  const { ids, places, scrapeUrlIds, jobId, ...rest } = arg ?? {}
  return {
    ...rest,
    ids: ids && keysOf('Prospect', ids, ['filter', 'ids']),
    places: placesOf(places),
    scrapeUrlIds: scrapeUrlIds && keysOf('CountyScrapeUrl', scrapeUrlIds, ['filter', 'scrapeUrlIds']),
    jobId: jobId == null ? null : oneKeyOf('ScrapingJob', jobId, ['filter', 'jobId']),
  }
}

export function placesOf(places: Given<PlaceArg[]>): Place[] | null {
  if (places == null) return null
  return places.map((place, i) => {
    if (place.county) return { state: place.county.state, county: place.county.name }
    if (place.countyId) return { fips: oneKeyOf('County', place.countyId, ['filter', 'places', String(i), 'countyId']) }
    return { state: place.state ?? '' }
  })
}
