import type { ProspectRow } from '../db/tables.ts'
import { keyOf } from '../resolvers/globalIds.ts'
import {
  changeCursor,
  loadChangesOfProspects,
  loadListingsOfProspects,
  loadSameCases,
  prospects,
} from '../resolvers/prospects.ts'
import { builder } from './builder.ts'
import { connectionType, listCost, pageArgs, pageCost, unremembered } from './connection.ts'
import { AuctionStatus, AuctionType, BuyerType, ProspectChangeKind } from './enums.ts'
import { ProspectFilter, ProspectOrder } from './inputs.ts'
import { County, CountyScrapeUrl, Listing, Prospect, ProspectChange, ScrapingJob } from './refs.ts'

const FieldChange = builder.simpleObject('FieldChange', {
  description: "One changed field, with the field's name and values as the API prints them.",
  fields: (t) => ({
    field: t.string({ description: 'The name of the field.' }),
    before: t.string({ nullable: true, description: 'Its value before; null when it had none.' }),
    after: t.string({ nullable: true, description: 'Its value after; null when it has none.' }),
  }),
})

ProspectChange.implement({
  description: 'A recorded change of a prospect.',
  fields: (t) => ({
    cursor: t.string({ description: 'Its place among all changes, oldest first.', resolve: changeCursor }),
    prospect: t.field({ type: Prospect, description: 'What changed.', resolve: (row) => row.prospectId }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was recorded.' }),
    job: t.field({
      type: ScrapingJob,
      nullable: true,
      description: 'The job that saw it; null once that is deleted.',
      resolve: (row) => row.jobId,
    }),
    kind: t.expose('kind', { type: ProspectChangeKind, description: 'What happened.' }),
    fields: t.field({
      type: [FieldChange],
      description: 'The fields that changed. rawData is not recorded.',
      resolve: (row) => row.fields,
    }),
  }),
})

Listing.implement({
  description: "Where a prospect was seen: one site's own entry for it.",
  fields: (t) => ({
    prospect: t.field({ type: Prospect, description: 'What it is about.', resolve: (row) => row.prospectId }),
    scrapeUrl: t.field({
      type: CountyScrapeUrl,
      description: 'The site that shows it.',
      resolve: (row) => row.scrapeUrlId,
    }),
    sourceKey: t.exposeString('sourceKey', { description: "The site's own key of it." }),
    url: t.expose('url', { type: 'URL', nullable: true, description: 'The page that shows it.' }),
    statusText: t.exposeString('statusText', { nullable: true, description: 'Its status in the words of the site.' }),
    firstSeenAt: t.expose('firstSeenAt', { type: 'DateTime', description: 'When it was first seen.' }),
    lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime', description: 'When it was last seen.' }),
    delistedAt: t.expose('delistedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a complete read of its day no longer showed it.',
    }),
  }),
})

export const ProspectChangeConnection = connectionType('ProspectChange', ProspectChange, 'changes of prospects')

Prospect.implement({
  description: 'A property at an auction, as all sites that show it say together.',
  fields: (t) => {
    const text = (name: TextField, description: string) => t.exposeString(name, { nullable: true, description })
    const amount = (name: AmountField, description: string) =>
      t.expose(name, { type: 'Decimal', nullable: true, description })
    const link = (name: 'caseUrl' | 'parcelUrl', description: string) =>
      t.expose(name, { type: 'URL', nullable: true, description })
    const at = (name: 'startsAt' | 'soldAt' | 'delistedAt', description: string) =>
      t.expose(name, { type: 'DateTime', nullable: true, description })
    return {
      county: t.field({ type: County, description: 'Where it is sold.', resolve: (row) => row.countyFips }),
      caseNumber: text('caseNumber', 'The case number as the site prints it, without its suffix.'),
      caseSuffix: text('caseSuffix', 'The ` (n)` that OH, PA and TX put behind case numbers.'),
      lot: t.exposeInt('lot', { description: '1, or 2, 3 ... where one case has several parcels on one day.' }),
      auctionDate: t.expose('auctionDate', {
        type: 'Date',
        nullable: true,
        description: 'The day of the auction; null where the site names none.',
      }),
      startsAt: at('startsAt', 'When the auction starts.'),
      timeText: text('timeText', 'The time in the words of the site.'),
      auctionStatus: t.expose('auctionStatus', { type: AuctionStatus, description: 'What became of it.' }),
      auctionStatusText: text('auctionStatusText', 'The status in the words of the site.'),
      auctionType: t.expose('auctionType', { type: AuctionType, description: 'What is sold, and why.' }),
      auctionTypeText: text('auctionTypeText', 'The type in the words of the site.'),
      propertyAddress: text('propertyAddress', 'Street and number, with its unit.'),
      city: text('city', 'The city of the address.'),
      stateCode: text('stateCode', 'The state of the address, two letters.'),
      zip: text('zip', 'The ZIP code, 5 digits or 5-4.'),
      parcelId: text('parcelId', "The parcel's number as the site prints it."),
      legalDescription: text('legalDescription', 'The legal description of the property.'),
      finalJudgmentAmount: amount('finalJudgmentAmount', 'What the court awarded.'),
      plaintiffMaxBid: amount('plaintiffMaxBid', 'The most the plaintiff bids.'),
      assessedValue: amount('assessedValue', 'What the property is valued at.'),
      assessedValueLabel: text('assessedValueLabel', 'What kind of value that is, in the words of the site.'),
      openingBid: amount('openingBid', 'The least that may be bid.'),
      depositAmount: amount('depositAmount', 'What must be deposited to bid.'),
      saleAmount: amount('saleAmount', 'What it was sold for.'),
      soldAt: at('soldAt', 'When it was sold.'),
      soldTo: text('soldTo', 'Who bought it, in the words of the site.'),
      buyerType: t.expose('buyerType', { type: BuyerType, nullable: true, description: 'Who bought it.' }),
      surplus: amount(
        'surplus',
        'The sale amount less its basis: the opening bid for TAX_DEED and TAX_LIEN, else the final judgment. Null unless SOLD and the basis is above 0; may be negative.',
      ),
      plaintiff: text('plaintiff', 'Who forecloses.'),
      defendant: text('defendant', 'Who is foreclosed on, or owns the property.'),
      attorney: text('attorney', 'The attorney of the plaintiff.'),
      certificateNumber: text('certificateNumber', 'The number of the tax certificate.'),
      saleNumber: text('saleNumber', "The sheriff's or precinct's number of the sale."),
      auctionId: text('auctionId', "The site's own id of the item."),
      caseUrl: link('caseUrl', "The court's page of the case."),
      parcelUrl: link('parcelUrl', "The property appraiser's page of the parcel."),
      sourceUrl: t.expose('sourceUrl', { type: 'URL', description: 'The page that shows it.' }),
      rawData: t.expose('rawData', {
        type: 'JSON',
        description: 'Everything that was read: {"fields":[{"label","value","href"?}]} in page order.',
      }),
      listed: t.exposeBoolean('listed', { description: 'Whether the newest complete read of its day showed it.' }),
      delistedAt: at('delistedAt', 'When a complete read of its day no longer showed it.'),
      listings: t.loadableList({
        type: Listing,
        description: 'Where it was seen, oldest first.',
        complexity: listCost(2),
        loaderOptions: unremembered,
        load: loadListingsOfProspects,
        resolve: (row) => row.id,
      }),
      job: t.field({
        type: ScrapingJob,
        nullable: true,
        description: 'The job that saw it last; null once that is deleted.',
        resolve: (row) => row.lastJobId,
      }),
      sameCase: t.loadableList({
        type: Prospect,
        description: 'The same county and case on other dates, by date.',
        complexity: listCost(4),
        loaderOptions: unremembered,
        load: async (rows: ProspectRow[], context) => {
          const cases = await loadSameCases(rows, context)
          return rows.map((row, i) => (cases[i] ?? []).filter((other) => other.auctionDate !== row.auctionDate))
        },
        resolve: (row) => row,
      }),
      siblings: t.loadableList({
        type: Prospect,
        description: 'The same county, case and date: the other lots.',
        complexity: listCost(4),
        loaderOptions: unremembered,
        load: async (rows: ProspectRow[], context) => {
          const cases = await loadSameCases(rows, context)
          return rows.map((row, i) => (cases[i] ?? []).filter((other) => other.auctionDate === row.auctionDate))
        },
        resolve: (row) => row,
      }),
      changes: t.loadable({
        type: ProspectChangeConnection,
        description: 'What was recorded of it, newest first.',
        args: pageArgs(t.arg),
        byPath: true,
        complexity: pageCost,
        loaderOptions: unremembered,
        load: async (keys: string[], context, args) => await loadChangesOfProspects(keys, args, context),
        resolve: (row) => row.id,
      }),
      firstSeenAt: t.expose('firstSeenAt', { type: 'DateTime', description: 'When it was first seen.' }),
      lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime', description: 'When it was last seen.' }),
      updatedAt: t.expose('updatedAt', {
        type: 'DateTime',
        description: 'When a change of it was last recorded.',
      }),
    }
  },
})

export const ProspectConnection = connectionType('Prospect', Prospect, 'prospects')

builder.queryFields((t) => ({
  prospect: t.field({
    type: Prospect,
    nullable: true,
    description: 'A prospect by its id; null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    complexity: { field: 1, multiplier: 1 },
    resolve: (_root, { id }) => keyOf('Prospect', id),
  }),
  prospects: t.field({
    type: ProspectConnection,
    description: 'Prospects, by auction date unless told.',
    args: {
      filter: t.arg({ type: ProspectFilter, description: 'Which of them.' }),
      orderBy: t.arg({ type: ProspectOrder, description: 'In which order.' }),
      ...pageArgs(t.arg),
    },
    complexity: pageCost,
    resolve: async (_root, args, context) => await prospects(args, context),
  }),
}))

type TextField =
  | 'caseNumber'
  | 'caseSuffix'
  | 'timeText'
  | 'auctionStatusText'
  | 'auctionTypeText'
  | 'propertyAddress'
  | 'city'
  | 'stateCode'
  | 'zip'
  | 'parcelId'
  | 'legalDescription'
  | 'assessedValueLabel'
  | 'soldTo'
  | 'plaintiff'
  | 'defendant'
  | 'attorney'
  | 'certificateNumber'
  | 'saleNumber'
  | 'auctionId'

type AmountField =
  | 'finalJudgmentAmount'
  | 'plaintiffMaxBid'
  | 'assessedValue'
  | 'openingBid'
  | 'depositAmount'
  | 'saleAmount'
  | 'surplus'
