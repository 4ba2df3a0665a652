import type { ScrapeUrlRow } from '../db/tables.ts'
import { keyOf } from '../resolvers/globalIds.ts'
import { loadSuggestedRanges, loadTimezones, remove, save, scrapeUrls } from '../resolvers/scrapeUrls.ts'
import { builder } from './builder.ts'
import { connectionType, pageArgs, pageCost, unremembered } from './connection.ts'
import { AuctionType, SitePlatform, Transport } from './enums.ts'
import { resultType } from './errors.ts'
import { ScrapeUrlFilter } from './inputs.ts'
import { County, CountyScrapeUrl, User } from './refs.ts'

const DateRange = builder.simpleObject('DateRange', {
  description: 'A range of dates, both ends included.',
  fields: (t) => ({
    startDate: t.field({ type: 'Date', description: 'The first day.' }),
    endDate: t.field({ type: 'Date', description: 'The last day.' }),
  }),
})

CountyScrapeUrl.implement({
  description: "A county's auction site, where jobs read.",
  fields: (t) => ({
    county: t.field({ type: County, description: 'Whose site it is.', resolve: (row) => row.countyFips }),
    url: t.expose('url', { type: 'URL', description: 'Where it is.' }),
    platform: t.expose('platform', { type: SitePlatform, description: 'What kind of site it is.' }),
    auctionType: t.expose('auctionType', {
      type: AuctionType,
      nullable: true,
      description: 'The type of items that name none; not a filter.',
    }),
    transport: t.expose('transport', { type: Transport, description: 'How it is read.' }),
    active: t.exposeBoolean('active', { description: 'Whether jobs may be submitted for it.' }),
    options: t.expose('options', { type: 'JSON', description: "The platform's own settings." }),
    timezone: t.loadable({
      type: 'String',
      description: "The IANA zone of its days: its own, or the county's.",
      loaderOptions: unremembered,
      load: async (rows: ScrapeUrlRow[], context) => await loadTimezones(rows, context),
      resolve: (row) => row,
    }),
    lastScrapedAt: t.expose('lastScrapedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a job last read it.',
    }),
    suggestedDateRange: t.loadable({
      type: DateRange,
      description:
        "The days a job reads unless told: from the oldest of today and the days of the last 14 that are not final, to today + 30. Today is the site's own.",
      loaderOptions: unremembered,
      load: async (rows: ScrapeUrlRow[], context) => await loadSuggestedRanges(rows, context),
      resolve: (row) => row,
    }),
    createdBy: t.field({
      type: User,
      nullable: true,
      description: 'Who saved it first.',
      resolve: (row) => row.createdBy,
    }),
    updatedBy: t.field({
      type: User,
      nullable: true,
      description: 'Who saved it last.',
      resolve: (row) => row.updatedBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was saved first.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was saved last.' }),
  }),
})

const ScrapeUrlConnection = connectionType('CountyScrapeUrl', CountyScrapeUrl, 'scrape URLs')

builder.queryFields((t) => ({
  scrapeUrl: t.field({
    type: CountyScrapeUrl,
    nullable: true,
    description: 'A scrape URL by its id; null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    complexity: { field: 1, multiplier: 1 },
    resolve: (_root, { id }) => keyOf('CountyScrapeUrl', id),
  }),
  scrapeUrls: t.field({
    type: ScrapeUrlConnection,
    description: 'Scrape URLs, by county, oldest first.',
    args: {
      filter: t.arg({ type: ScrapeUrlFilter, description: 'Which of them.' }),
      ...pageArgs(t.arg),
    },
    complexity: pageCost,
    resolve: async (_root, args, context) => await scrapeUrls(args, context),
  }),
}))

const SaveScrapeUrlInput = builder.inputType('SaveScrapeUrlInput', {
  description:
    'With id, what is left out stays and null clears. Without id it creates, and countyId, url and platform are required.',
  fields: (t) => ({
    id: t.id({ description: 'The scrape URL to change.' }),
    countyId: t.id({ description: 'Whose site it is.' }),
    url: t.field({ type: 'URL', description: 'Where it is: http or https, at a public address, without credentials.' }),
    platform: t.field({ type: SitePlatform, description: 'What kind of site it is.' }),
    auctionType: t.field({ type: AuctionType, description: 'The type of items that name none.' }),
    transport: t.field({ type: Transport, description: 'How it is read; AUTO unless told.' }),
    timezone: t.string({ description: "The IANA zone of its days; the county's unless told." }),
    active: t.boolean({ description: 'Whether jobs may be submitted for it; true unless told.' }),
    options: t.field({ type: 'JSON', description: "The platform's own settings, an object." }),
  }),
})

const SaveScrapeUrlSuccess = builder.objectRef<ScrapeUrlRow>('SaveScrapeUrlSuccess').implement({
  description: 'It is saved.',
  fields: (t) => ({
    scrapeUrl: t.field({ type: CountyScrapeUrl, description: 'As it stands now.', resolve: (row) => row }),
  }),
})

const SaveScrapeUrlResult = resultType('SaveScrapeUrlResult', SaveScrapeUrlSuccess, [
  'InvalidInputError',
  'NotFoundError',
  'ConflictError',
])

const DeleteScrapeUrlSuccess = builder.objectRef<{ deletedId: string }>('DeleteScrapeUrlSuccess').implement({
  description: 'It is deleted, with its schedules.',
  fields: (t) => ({ deletedId: t.exposeID('deletedId', { description: 'The id it had.' }) }),
})

const DeleteScrapeUrlResult = resultType('DeleteScrapeUrlResult', DeleteScrapeUrlSuccess, [
  'NotFoundError',
  'ConflictError',
])

builder.mutationFields((t) => ({
  saveScrapeUrl: t.field({
    type: SaveScrapeUrlResult.type,
    description: "Saves a county's auction site, or changes it. Takes ADMIN.",
    authScopes: { admin: true },
    args: { input: t.arg({ type: SaveScrapeUrlInput, required: true, description: 'What to save.' }) },
    resolve: async (_root, { input }, context) => SaveScrapeUrlResult.from(await save(input, context)),
  }),
  deleteScrapeUrl: t.field({
    type: DeleteScrapeUrlResult.type,
    description:
      'Deletes a scrape URL without jobs, and its schedules; IN_USE for one with jobs, or with what they found. Takes ADMIN.',
    authScopes: { admin: true },
    args: { id: t.arg.id({ required: true, description: 'The scrape URL.' }) },
    resolve: async (_root, { id }, context) => DeleteScrapeUrlResult.from(await remove(id, context)),
  }),
}))
