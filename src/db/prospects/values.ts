import type { CalendarDate, Decimal, Instant, ProspectFields, RawData } from '../../domain.ts'
import type { ProspectRow } from '../tables.ts'

/** All that listings decide of a prospect: its fields, its normalised keys, its raw data. */
export interface ProspectValues extends ProspectFields {
  caseKey: string | null
  parcelKey: string | null
  addressKey: string | null
  rawData: RawData
}

/** A stored prospect, its values printed as the API prints them: amounts with two places, instants in UTC. */
export interface KnownProspect extends ProspectValues {
  id: string
  countyFips: string
  lot: number
  surplus: Decimal | null
  listed: boolean
  delistedAt: Instant | null
}

/** One site's entry for a prospect, open or closed. */
export interface KnownListing {
  id: string
  prospectId: string
  siteKey: string
  sourceKey: string
  auctionDate: CalendarDate | null
  firstSeenAt: Date
  delisted: boolean
  closed: boolean
  values: ProspectValues
}

/** The columns that a site decides, with their types in Postgres. */
export const fieldTypes = {
  caseNumber: 'text',
  caseSuffix: 'text',
  auctionDate: 'date',
  startsAt: 'timestamptz(3)',
  timeText: 'text',
  auctionStatus: 'text',
  auctionStatusText: 'text',
  auctionType: 'text',
  auctionTypeText: 'text',
  propertyAddress: 'text',
  city: 'text',
  stateCode: 'text',
  zip: 'text',
  parcelId: 'text',
  legalDescription: 'text',
  finalJudgmentAmount: 'numeric(14,2)',
  plaintiffMaxBid: 'numeric(14,2)',
  assessedValue: 'numeric(14,2)',
  assessedValueLabel: 'text',
  openingBid: 'numeric(14,2)',
  depositAmount: 'numeric(14,2)',
  saleAmount: 'numeric(14,2)',
  soldAt: 'timestamptz(3)',
  soldTo: 'text',
  buyerType: 'text',
  plaintiff: 'text',
  defendant: 'text',
  attorney: 'text',
  certificateNumber: 'text',
  saleNumber: 'text',
  auctionId: 'text',
  caseUrl: 'text',
  parcelUrl: 'text',
  sourceUrl: 'text',
} as const satisfies Record<keyof ProspectFields, string>

/** Every column that is written from listings, with its type in Postgres. */
export const valueTypes = {
  ...fieldTypes,
  caseKey: 'text',
  parcelKey: 'text',
  addressKey: 'text',
  rawData: 'jsonb',
} as const satisfies Record<keyof ProspectValues, string>

/** A row of the table as a known prospect. */
export function toKnownProspect(row: ProspectRow): KnownProspect {
  return {
    ...row,
    startsAt: row.startsAt?.toISOString() ?? null,
    soldAt: row.soldAt?.toISOString() ?? null,
    delistedAt: row.delistedAt?.toISOString() ?? null,
  }
}
