import {
  type AmountFigures,
  daysIn,
  defaultDays,
  type Statistics as JobStatistics,
  mostDays,
  mostGroups,
  type ProspectGroupRow,
  prospectStatistics,
  statistics,
} from '../resolvers/statistics.ts'
import { builder } from './builder.ts'
import { listCost } from './connection.ts'
import { AuctionStatus, AuctionType, JobStatus, ProspectGroupBy } from './enums.ts'
import { JobFilter, ProspectFilter } from './inputs.ts'
import { ErrorCount } from './jobs.ts'
import { OutcomeCount } from './progress.ts'
import { County, State } from './refs.ts'

const JobStatusCount = builder.objectRef<JobStatistics['jobsByStatus'][number]>('JobStatusCount').implement({
  description: 'How many jobs ended in one way.',
  fields: (t) => ({
    status: t.expose('status', { type: JobStatus, description: 'How they ended.' }),
    count: t.exposeInt('count', { description: 'How many.' }),
  }),
})

const DayStatistics = builder.objectRef<JobStatistics['perDay'][number]>('DayStatistics').implement({
  description: 'The jobs that ended on one day.',
  fields: (t) => ({
    date: t.expose('date', { type: 'Date', description: 'The day, as the time zone has it.' }),
    completed: t.exposeInt('completed', { description: 'Jobs that completed.' }),
    failed: t.exposeInt('failed', { description: 'Jobs that failed.' }),
    cancelled: t.exposeInt('cancelled', { description: 'Jobs that were cancelled.' }),
    rowsCollected: t.exposeInt('rowsCollected', { description: 'Rows that they saved.' }),
  }),
})

const Statistics = builder.objectRef<JobStatistics>('Statistics').implement({
  description: 'The jobs that ended in a range of days.',
  fields: (t) => ({
    jobsByStatus: t.field({
      type: [JobStatusCount],
      description: 'How they ended: the ways that there were.',
      resolve: (all) => all.jobsByStatus,
    }),
    errorsByCategory: t.field({
      type: [ErrorCount],
      description: 'Their errors, counted by category.',
      resolve: (all) => all.errorsByCategory,
    }),
    successRate: t.exposeFloat('successRate', {
      nullable: true,
      description: 'The part of them that completed, 0..1; null when no job ended.',
    }),
    averageDurationMs: t.exposeFloat('averageDurationMs', {
      nullable: true,
      description: 'The mean of their durations in milliseconds; null when none has one.',
    }),
    rowsCollected: t.exposeFloat('rowsCollected', { description: 'Rows that they saved.' }),
    daysByOutcome: t.field({
      type: [OutcomeCount],
      description: 'How the days that they read ended, by the newest report of each.',
      resolve: (all) => all.daysByOutcome,
    }),
    perDay: t.field({
      type: [DayStatistics],
      description: 'One for each day of the range, oldest first.',
      resolve: (all) => all.perDay,
    }),
  }),
})

const AmountStatistics = builder.objectRef<AmountFigures>('AmountStatistics').implement({
  description: 'Known amounts, together.',
  fields: (t) => {
    const figure = (name: Exclude<keyof AmountFigures, 'count'>, description: string) =>
      t.expose(name, { type: 'Decimal', nullable: true, description: `${description}; null when there are none.` })
    return {
      count: t.exposeInt('count', { description: 'How many are known.' }),
      sum: figure('sum', 'Their sum'),
      avg: figure('avg', 'Their mean, rounded to a millionth where it must be'),
      median: figure('median', 'The one in the middle, or the mean of the two'),
      min: figure('min', 'The lowest'),
      max: figure('max', 'The highest'),
    }
  },
})

const ProspectGroup = builder.objectRef<ProspectGroupRow>('ProspectGroup').implement({
  description: 'Prospects that have in common what they are grouped by, which is set here.',
  fields: (t) => {
    const amount = (name: AmountField, description: string) =>
      t.field({ type: AmountStatistics, description, resolve: (group) => group[name] })
    return {
      state: t.field({
        type: State,
        nullable: true,
        description: 'Their state.',
        resolve: (group) => group.stateCode ?? null,
      }),
      county: t.field({
        type: County,
        nullable: true,
        description: 'Their county.',
        resolve: (group) => group.countyFips ?? null,
      }),
      date: t.field({
        type: 'Date',
        nullable: true,
        description: "Their auction date, its week's Monday or its month's first; null for those without a date too.",
        resolve: (group) => group.date ?? null,
      }),
      auctionStatus: t.field({
        type: AuctionStatus,
        nullable: true,
        description: 'What became of them.',
        resolve: (group) => group.auctionStatus ?? null,
      }),
      auctionType: t.field({
        type: AuctionType,
        nullable: true,
        description: 'What is sold, and why.',
        resolve: (group) => group.auctionType ?? null,
      }),
      count: t.exposeInt('count', { description: 'How many prospects.' }),
      openingBid: amount('openingBid', 'Their opening bids.'),
      finalJudgmentAmount: amount(
        'finalJudgmentAmount',
        'Their final judgments: of a case with several lots on one date, one.',
      ),
      assessedValue: amount('assessedValue', 'Their assessed values.'),
      saleAmount: amount('saleAmount', 'Their sale amounts.'),
      surplus: amount('surplus', 'Their surpluses.'),
    }
  },
})

builder.queryFields((t) => ({
  statistics: t.field({
    type: Statistics,
    description: `The jobs that ended in a range of days: the last ${defaultDays} unless told, at most ${mostDays}.`,
    args: {
      from: t.arg({ type: 'Date', description: `The first day; ${defaultDays} days in all unless told.` }),
      to: t.arg({ type: 'Date', description: 'The last day; today unless told.' }),
      timezone: t.arg.string({ description: 'The IANA time zone that days are of; UTC unless told.' }),
      filter: t.arg({ type: JobFilter, description: 'Of which jobs.' }),
    },
    complexity: (args) => listCost(rangeCost(args)),
    resolve: async (_root, args, context) => await statistics(args, context),
  }),
  prospectStatistics: t.field({
    type: [ProspectGroup],
    description: 'Counts and amounts of prospects in groups, sorted by what they are grouped by; `[]` gives one total.',
    args: {
      filter: t.arg({ type: ProspectFilter, description: 'Of which prospects.' }),
      groupBy: t.arg({
        type: [ProspectGroupBy],
        required: true,
        description: 'What they are grouped by: at most one of AUCTION_DATE, WEEK and MONTH.',
      }),
      limit: t.arg.int({ description: `More groups are refused: 1..${mostGroups}, ${mostGroups} unless told.` }),
    },
    complexity: (args) => listCost(groupCost(args)),
    resolve: async (_root, args, context) => await prospectStatistics(args, context),
  }),
}))

type AmountField = 'openingBid' | 'finalJudgmentAmount' | 'assessedValue' | 'saleAmount' | 'surplus'

/** A row for each day; a range that makes no sense is refused later. */
function rangeCost({ from, to }: { from?: string | null | undefined; to?: string | null | undefined }): number {
  if (from == null) return defaultDays
  const days = daysIn({ from, to: to ?? new Date().toISOString().slice(0, 10) })
  return Math.min(Math.max(days, 1), mostDays)
}

/** The groups that there can be, of ten years; so that a dashboard may ask for several groupings at once. */
function groupCost({ groupBy, limit }: { groupBy: readonly Grouping[]; limit?: number | null | undefined }): number {
  const most = Math.min(Math.max(limit ?? mostGroups, 1), mostGroups)
  return [...new Set(groupBy)].reduce((groups, one) => Math.min(groups * likelyGroups[one], most), 1)
}

type Grouping = typeof ProspectGroupBy.$inferType

const likelyGroups: Record<Grouping, number> = {
  STATE: 51,
  COUNTY: 3_144,
  AUCTION_DATE: 3_653,
  WEEK: 522,
  MONTH: 120,
  AUCTION_STATUS: 8,
  AUCTION_TYPE: 5,
}
