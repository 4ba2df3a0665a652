import type { ProspectFilterArg } from '../resolvers/filters.ts'
import { builder } from './builder.ts'
import {
  AuctionStatus,
  AuctionType,
  BuyerType,
  DayOutcome,
  ErrorCategory,
  ExecutionStatus,
  JobOrderField,
  JobStatus,
  OrderDirection,
  ProspectOrderField,
  SitePlatform,
} from './enums.ts'

const CountyNameInput = builder.inputType('CountyNameInput', {
  description: 'A county by its names, matched without case.',
  fields: (t) => ({
    state: t.string({ required: true, description: 'The code of its state, such as FL.' }),
    name: t.string({ required: true, description: 'Its name without "County" or "Parish".' }),
  }),
})

export const PlaceInput = builder.inputType('PlaceInput', {
  description: 'A state or a county: exactly one of the fields.',
  isOneOf: true,
  fields: (t) => ({
    state: t.string({ description: 'A whole state, by its code.' }),
    county: t.field({ type: CountyNameInput, description: 'A county by its names.' }),
    countyId: t.id({ description: 'A county by its id.' }),
  }),
})

export const DateFilter = builder.inputType('DateFilter', {
  description: 'A range of dates, both ends included.',
  fields: (t) => ({
    from: t.field({ type: 'Date', description: 'On this day or later.' }),
    to: t.field({ type: 'Date', description: 'On this day or earlier.' }),
    undated: t.boolean({ description: 'true: only what has no date; false: only what has one.' }),
  }),
})

export const DateTimeFilter = builder.inputType('DateTimeFilter', {
  description: 'A range of instants, both ends included.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'At this instant or later.' }),
    to: t.field({ type: 'DateTime', description: 'At this instant or earlier.' }),
  }),
})

const anded = 'Fields are ANDed, values within a list ORed, an empty list is refused.'

export const JobFilter = builder.inputType('JobFilter', {
  description: `Which jobs. ${anded}`,
  fields: (t) => ({
    ids: t.idList({ description: 'These jobs.' }),
    status: t.field({ type: [JobStatus], description: 'In one of these states.' }),
    places: t.field({ type: [PlaceInput], description: 'Of sites in these places.' }),
    scrapeUrlIds: t.idList({ description: 'Of these scrape URLs.' }),
    platform: t.field({ type: [SitePlatform], description: 'Of sites of these platforms.' }),
    scheduleId: t.id({ description: 'Made by this schedule.' }),
    batchId: t.id({ description: 'Of this batch.' }),
    dates: t.field({ type: DateFilter, description: 'With a day of their range in this one; every job has dates.' }),
    errorCode: t.stringList({ description: 'With an error of one of these codes.' }),
    search: t.string({ description: 'Text in the name, without case.' }),
    held: t.boolean({ description: 'Held, or not held.' }),
    createdBy: t.id({ description: 'Submitted by this user.' }),
    createdAt: t.field({ type: DateTimeFilter, description: 'Submitted at.' }),
    updatedAt: t.field({ type: DateTimeFilter, description: 'Last changed at.' }),
  }),
})

export const JobOrder = builder.inputType('JobOrder', {
  description: 'The order of a list of jobs; ties by id.',
  fields: (t) => ({
    field: t.field({ type: JobOrderField, required: true, description: 'What to order by.' }),
    direction: t.field({ type: OrderDirection, required: true, description: 'Which way.' }),
  }),
})

export const ScrapeUrlFilter = builder.inputType('ScrapeUrlFilter', {
  description: `Which scrape URLs. ${anded}`,
  fields: (t) => ({
    places: t.field({ type: [PlaceInput], description: 'In these places.' }),
    platform: t.field({ type: [SitePlatform], description: 'Of these platforms.' }),
    active: t.boolean({ description: 'Active, or not active.' }),
    search: t.string({ description: 'Text in the URL, without case.' }),
  }),
})

export const ExecutionFilter = builder.inputType('ExecutionFilter', {
  description: `Which executions. ${anded}`,
  fields: (t) => ({
    status: t.field({ type: [ExecutionStatus], description: 'In one of these states.' }),
    jobId: t.id({ description: 'Of this job.' }),
    startedAt: t.field({ type: DateTimeFilter, description: 'Started at.' }),
  }),
})

export const JobErrorFilter = builder.inputType('JobErrorFilter', {
  description: `Which errors. ${anded}`,
  fields: (t) => ({
    category: t.field({ type: [ErrorCategory], description: 'Of these categories.' }),
    retryable: t.boolean({ description: 'Worth another attempt, or not.' }),
    jobId: t.id({ description: 'Of this job.' }),
    occurredAt: t.field({ type: DateTimeFilter, description: 'Happened at.' }),
  }),
})

export const CoverageFilter = builder.inputType('CoverageFilter', {
  description: `Which days at which sites. ${anded}`,
  fields: (t) => ({
    places: t.field({ type: [PlaceInput], description: 'Of sites in these places.' }),
    scrapeUrlIds: t.idList({ description: 'At these scrape URLs, as far as they are active.' }),
    outcome: t.field({
      type: [DayOutcome],
      description: 'Whose newest read ended in one of these ways; PENDING: which were never read.',
    }),
    stale: t.boolean({ description: 'Stale, or not stale.' }),
  }),
})

const DecimalFilter = builder.inputType('DecimalFilter', {
  description: 'A range of amounts, both ends included; what has no amount matches `known: false` alone.',
  fields: (t) => ({
    min: t.field({ type: 'Decimal', description: 'This much or more.' }),
    max: t.field({ type: 'Decimal', description: 'This much or less.' }),
    known: t.boolean({ description: 'true: only what has an amount; false: only what has none.' }),
  }),
})

export const ProspectFilter = builder.inputRef<ProspectFilterArg>('ProspectFilter')
ProspectFilter.implement({
  description: `Which prospects. ${anded}`,
  fields: (t) => {
    const amount = (description: string) => t.field({ type: DecimalFilter, description })
    const number = (what: string) =>
      t.string({ description: `${what}: equal but for case and all that is no letter or digit.` })
    return {
      anyOf: t.field({
        type: [ProspectFilter],
        description: 'Matching one of these too: at most 8, none of them with anyOf.',
      }),
      ids: t.idList({ description: 'These prospects.' }),
      places: t.field({ type: [PlaceInput], description: 'In these places.' }),
      scrapeUrlIds: t.idList({ description: 'Seen at one of these scrape URLs.' }),
      jobId: t.id({ description: 'Saved by this job, also when a later job saw them again.' }),
      auctionDate: t.field({ type: DateFilter, description: 'Auctioned on.' }),
      auctionStatus: t.field({ type: [AuctionStatus], description: 'In one of these states.' }),
      auctionType: t.field({ type: [AuctionType], description: 'Of these types.' }),
      listed: t.boolean({ description: 'Shown by the newest complete read of their day, or not.' }),
      finalJudgmentAmount: amount('What the court awarded.'),
      plaintiffMaxBid: amount('The most the plaintiff bids.'),
      assessedValue: amount('What the property is valued at.'),
      openingBid: amount('The least that may be bid.'),
      saleAmount: amount('What it was sold for.'),
      surplus: amount('The sale amount less its basis.'),
      caseNumber: number('The case number, with or without its suffix'),
      parcelId: number("The parcel's number"),
      certificateNumber: number('The number of the tax certificate'),
      auctionId: number("The site's own id of the item"),
      soldTo: t.string({ description: 'Text in the name of the buyer, without case.' }),
      city: t.string({ description: 'Text in the city of the address, without case.' }),
      zip: t.string({ description: 'Text in the ZIP code.' }),
      buyerType: t.field({ type: [BuyerType], description: 'Bought by one of these.' }),
      search: t.string({
        description: 'Words, each of them in the address, case number, parcel, parties or buyer, without case.',
      }),
      firstSeenAt: t.field({ type: DateTimeFilter, description: 'First seen at.' }),
      updatedAt: t.field({ type: DateTimeFilter, description: 'Last change recorded at.' }),
    }
  },
})

export const ProspectOrder = builder.inputType('ProspectOrder', {
  description: 'The order of a list of prospects: nulls last both ways, ties by auction date, then id.',
  fields: (t) => ({
    field: t.field({ type: ProspectOrderField, required: true, description: 'What to order by.' }),
    direction: t.field({ type: OrderDirection, required: true, description: 'Which way.' }),
  }),
})
