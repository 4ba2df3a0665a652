import type { ArgBuilder } from '@pothos/core'
import type { DayRange, SiteDay } from '../db/coverage.ts'
import { coverage, daysIn, loadProspectCounts, loadReads, loadStale, mostDays } from '../resolvers/coverage.ts'
import { builder } from './builder.ts'
import { connectionType, listCost, pageArgs, pageCost, unremembered } from './connection.ts'
import { CoverageFilter } from './inputs.ts'
import { CountyScrapeUrl, ScrapeDay } from './refs.ts'

export const DayCoverage = builder.objectRef<SiteDay>('DayCoverage').implement({
  description: 'What is known of one date at one site.',
  fields: (t) => ({
    date: t.expose('date', { type: 'Date', description: 'The date.' }),
    scrapeUrl: t.field({ type: CountyScrapeUrl, description: 'The site.', resolve: (day) => day.scrapeUrlId }),
    latest: t.loadable({
      type: ScrapeDay,
      nullable: true,
      description:
        'The newest read of it; null when it was never read. One that is GONE never replaces an older COMPLETE.',
      loaderOptions: unremembered,
      load: async (days: SiteDay[], context) => await loadReads('latestId', days, context),
      resolve: (day) => day,
    }),
    lastComplete: t.loadable({
      type: ScrapeDay,
      nullable: true,
      description: 'The newest read that proved it: COMPLETE or EMPTY.',
      loaderOptions: unremembered,
      load: async (days: SiteDay[], context) => await loadReads('lastCompleteId', days, context),
      resolve: (day) => day,
    }),
    prospects: t.loadable({
      type: 'Int',
      description: 'Prospects on this date that were seen at this site.',
      loaderOptions: unremembered,
      load: async (days: SiteDay[], context) => await loadProspectCounts(days, context),
      resolve: (day) => day,
    }),
    stale: t.loadable({
      type: 'Boolean',
      description:
        'Whether it is worth reading: not final, and the last complete read is older than 24 h or never was.',
      loaderOptions: unremembered,
      load: async (days: SiteDay[], context) => await loadStale(days, context),
      resolve: (day) => day,
    }),
  }),
})

const DayCoverageConnection = connectionType('DayCoverage', DayCoverage, 'dates at sites')

/** The range of days that is looked at. */
export function rangeArgs(arg: ArgBuilder<typeof builder.$inferSchemaTypes>) {
  return {
    from: arg({ type: 'Date', required: true, description: 'The first day.' }),
    to: arg({ type: 'Date', required: true, description: `The last day: at most ${mostDays} days in all.` }),
  }
}

/** A county's coverage costs its days at as many sites as a county is likely to have. */
export const rangeCost = (range: DayRange) => listCost(2 * Math.min(Math.max(daysIn(range), 1), mostDays))

builder.queryField('coverage', (t) =>
  t.field({
    type: DayCoverageConnection,
    description: 'Each date of a range at each active site, by date, then by county and age of the site.',
    args: {
      filter: t.arg({ type: CoverageFilter, description: 'Which of them.' }),
      ...rangeArgs(t.arg),
      first: pageArgs(t.arg).first,
      after: pageArgs(t.arg).after,
    },
    complexity: pageCost,
    resolve: async (_root, args, context) => await coverage(args, context),
  }),
)
