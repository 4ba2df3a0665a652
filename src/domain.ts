/**
 * The words of the field, spelled once: every enumeration of the contract and the shapes that travel between
 * site, engine and database. Imports nothing, importable from everywhere.
 */

export const sitePlatforms = ['REALAUCTION', 'CIVILVIEW', 'HTML_TABLE'] as const
export const transports = ['AUTO', 'HTTP', 'BROWSER'] as const
export const jobStatuses = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const
export const executionStatuses = ['RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const
export const dayOutcomes = [
  'PENDING',
  'COMPLETE',
  'EMPTY',
  'NOT_PUBLISHED',
  'GONE',
  'INCOMPLETE',
  'BLOCKED',
  'FAILED',
] as const
export const completenessProofs = ['ID_LIST', 'COUNT', 'FULL_LIST', 'CALENDAR'] as const
export const errorCategories = ['NETWORK', 'PARSING', 'DATA_VALIDATION', 'SYSTEM'] as const
export const logLevels = ['DEBUG', 'INFO', 'WARN', 'ERROR'] as const
export const auctionTypes = ['FORECLOSURE', 'TAX_DEED', 'TAX_LIEN', 'SHERIFF_SALE', 'OTHER'] as const
export const auctionStatuses = [
  'SCHEDULED',
  'RUNNING',
  'SOLD',
  'UNSOLD',
  'CANCELLED',
  'POSTPONED',
  'REDEEMED',
  'UNKNOWN',
] as const
export const buyerTypes = ['THIRD_PARTY', 'PLAINTIFF', 'CERTIFICATE_HOLDER', 'OTHER'] as const
export const changeKinds = ['CREATED', 'UPDATED', 'DELISTED', 'RELISTED'] as const
export const roles = ['VIEWER', 'OPERATOR', 'ADMIN'] as const
export const webhookEvents = [
  'JOB_COMPLETED',
  'JOB_FAILED',
  'JOB_CANCELLED',
  'PROSPECT_CREATED',
  'PROSPECT_UPDATED',
] as const
export const exportFormats = ['CSV', 'NDJSON'] as const
export const stageNames = ['FETCH', 'PARSE', 'CONVERT', 'SAVE', 'EXPORT', 'NOTIFY'] as const

export type SitePlatform = (typeof sitePlatforms)[number]
export type Transport = (typeof transports)[number]
export type JobStatus = (typeof jobStatuses)[number]
export type ExecutionStatus = (typeof executionStatuses)[number]
export type DayOutcome = (typeof dayOutcomes)[number]
/** What a read can end in: every outcome but the one of a day that was not reached. */
export type ReadOutcome = Exclude<DayOutcome, 'PENDING'>
export type CompletenessProof = (typeof completenessProofs)[number]
export type ErrorCategory = (typeof errorCategories)[number]
export type LogLevel = (typeof logLevels)[number]
export type AuctionType = (typeof auctionTypes)[number]
export type AuctionStatus = (typeof auctionStatuses)[number]
export type BuyerType = (typeof buyerTypes)[number]
export type ChangeKind = (typeof changeKinds)[number]
export type Role = (typeof roles)[number]
export type WebhookEvent = (typeof webhookEvents)[number]
export type ExportFormat = (typeof exportFormats)[number]
export type StageName = (typeof stageNames)[number]

/** A calendar date without a zone, `YYYY-MM-DD`. */
export type CalendarDate = string
/** An exact decimal such as `219123.16` or `-384359.59`; amounts are US dollars. Never a float. */
export type Decimal = string
/** An instant, RFC 3339 in UTC with milliseconds: `2026-03-05T14:00:00.000Z`. */
export type Instant = string

/** A global id, as clients know it: base64url of `Type:key`. */
export const globalId = (type: string, key: string | number | bigint): string =>
  Buffer.from(`${type}:${key}`).toString('base64url')

/** Outcomes with which a day needs no further reading in this job. */
export const doneOutcomes: readonly DayOutcome[] = ['COMPLETE', 'EMPTY', 'NOT_PUBLISHED', 'GONE']

export const terminalStatuses: readonly JobStatus[] = ['COMPLETED', 'FAILED', 'CANCELLED']

export const isTerminal = (status: JobStatus): boolean => terminalStatuses.includes(status)

/** One label of a listing with its value, as the page has them: text trimmed, white space folded, links kept. */
export interface RawField {
  label: string
  value: string
  href?: string
}

/** The status block of a RealAuction item, by the site's own keys. */
export interface RawStatus {
  A: string
  B: string
  C: string
  D: string
  SL: string
  ST: string
}

export interface RawData {
  fields: RawField[]
  status: RawStatus | null
  area: 'W' | 'R' | 'C' | null
}

/** Everything a listing says, converted: the columns of a prospect that a site decides. */
export interface ProspectFields {
  caseNumber: string | null
  caseSuffix: string | null
  auctionDate: CalendarDate | null
  startsAt: Instant | null
  timeText: string | null
  auctionStatus: AuctionStatus
  auctionStatusText: string | null
  auctionType: AuctionType
  auctionTypeText: string | null
  propertyAddress: string | null
  city: string | null
  stateCode: string | null
  zip: string | null
  parcelId: string | null
  legalDescription: string | null
  finalJudgmentAmount: Decimal | null
  plaintiffMaxBid: Decimal | null
  assessedValue: Decimal | null
  assessedValueLabel: string | null
  openingBid: Decimal | null
  depositAmount: Decimal | null
  saleAmount: Decimal | null
  soldAt: Instant | null
  soldTo: string | null
  buyerType: BuyerType | null
  plaintiff: string | null
  defendant: string | null
  attorney: string | null
  certificateNumber: string | null
  saleNumber: string | null
  auctionId: string | null
  caseUrl: string | null
  parcelUrl: string | null
  sourceUrl: string
}

/** What a read of one auction day says of itself: the figures of its completeness proof. */
export interface DayFigures {
  outcome: ReadOutcome
  proof: CompletenessProof | null
  /** What the site itself said at the read; null where it said nothing. */
  expected: number | null
  scheduled: number | null
  waiting: number | null
  running: number | null
  closed: number | null
  pages: number
}
