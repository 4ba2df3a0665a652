import { loadCoverageOfCounties } from '../resolvers/coverage.ts'
import { loadJobsOfCounties } from '../resolvers/jobs.ts'
import { counties, county, loadCountiesOfStates, states } from '../resolvers/places.ts'
import { loadProspectsOfCounties } from '../resolvers/prospects.ts'
import { loadScrapeUrlsOfCounties } from '../resolvers/scrapeUrls.ts'
import { builder } from './builder.ts'
import { connectionType, listCost, pageArgs, pageCost, unremembered } from './connection.ts'
import { DayCoverage, rangeArgs, rangeCost } from './coverage.ts'
import { JobFilter, ProspectFilter, ProspectOrder } from './inputs.ts'
import { JobConnection } from './jobs.ts'
import { ProspectConnection } from './prospects.ts'
import { County, CountyScrapeUrl, State } from './refs.ts'

State.implement({
  description: 'A state of the US, or the District of Columbia.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'Its two letters.' }),
    name: t.exposeString('name', { description: 'Its name.' }),
    counties: t.loadableList({
      type: County,
      description: 'Its counties and county equivalents, by name.',
      // The average: a query of all states with all counties costs what it returns.
      complexity: listCost(64),
      loaderOptions: unremembered,
      load: loadCountiesOfStates,
      resolve: (row) => row.code,
    }),
  }),
})

County.implement({
  description: 'A county or county equivalent.',
  fields: (t) => ({
    state: t.field({ type: State, description: 'Its state.', resolve: (row) => row.stateCode }),
    name: t.exposeString('name', { description: 'Its name without "County" or "Parish".' }),
    fips: t.exposeString('fips', { description: 'Its five digit FIPS code.' }),
    timezone: t.exposeString('timezone', { description: 'Its IANA time zone.' }),
    scrapeUrls: t.loadableList({
      type: CountyScrapeUrl,
      description: 'Its sites, oldest first.',
      complexity: listCost(4),
      loaderOptions: unremembered,
      load: loadScrapeUrlsOfCounties,
      resolve: (row) => row.fips,
    }),
    jobs: t.loadable({
      type: JobConnection,
      description: 'The jobs of its sites, newest first.',
      args: {
        filter: t.arg({ type: JobFilter, description: 'Which of them.' }),
        ...pageArgs(t.arg),
      },
      byPath: true,
      complexity: pageCost,
      loaderOptions: unremembered,
      load: async (keys: string[], context, args) => await loadJobsOfCounties(keys, args, context),
      resolve: (row) => row.fips,
    }),
    prospects: t.loadable({
      type: ProspectConnection,
      description: 'Its prospects, by auction date unless told.',
      args: {
        filter: t.arg({ type: ProspectFilter, description: 'Which of them.' }),
        orderBy: t.arg({ type: ProspectOrder, description: 'In which order.' }),
        ...pageArgs(t.arg),
      },
      byPath: true,
      complexity: pageCost,
      loaderOptions: unremembered,
      load: async (keys: string[], context, args) => await loadProspectsOfCounties(keys, args, context),
      resolve: (row) => row.fips,
    }),
    coverage: t.loadableList({
      type: DayCoverage,
      description: 'Each date of a range at each of its active sites, by date, then by age of the site.',
      args: rangeArgs(t.arg),
      byPath: true,
      complexity: rangeCost,
      loaderOptions: unremembered,
      load: async (keys: string[], context, args) => await loadCoverageOfCounties(keys, args, context),
      resolve: (row) => row.fips,
    }),
  }),
})

const CountyConnection = connectionType('County', County, 'counties')

builder.queryFields((t) => ({
  states: t.field({
    type: [State],
    description: 'Every state, by code.',
    complexity: listCost(51),
    resolve: async (_root, _args, context) => await states(context),
  }),
  county: t.field({
    type: County,
    nullable: true,
    description: 'A county by its names, without case; null when there is none.',
    args: {
      state: t.arg.string({ required: true, description: 'The code of its state, such as FL.' }),
      name: t.arg.string({ required: true, description: 'Its name without "County" or "Parish".' }),
    },
    complexity: { field: 1, multiplier: 1 },
    resolve: async (_root, args, context) => await county(args, context),
  }),
  counties: t.field({
    type: CountyConnection,
    description: 'Counties by state and name.',
    args: {
      state: t.arg.string({ description: 'Of this state, by its code.' }),
      search: t.arg.string({ description: 'With this text in the name, without case.' }),
      withScrapeUrl: t.arg.boolean({ description: 'true: with a site; false: without one.' }),
      ...pageArgs(t.arg),
    },
    complexity: pageCost,
    resolve: async (_root, args, context) => await counties(args, context),
  }),
}))
