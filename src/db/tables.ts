import type { ColumnType, Generated, JSONColumnType, Selectable } from 'kysely'
import type {
  AuctionStatus,
  AuctionType,
  BuyerType,
  CalendarDate,
  ChangeKind,
  CompletenessProof,
  DayOutcome,
  Decimal,
  ErrorCategory,
  ExecutionStatus,
  JobStatus,
  LogLevel,
  ProspectFields,
  RawData,
  Role,
  SitePlatform,
  StageName,
  Transport,
  WebhookEvent,
} from '../domain.ts'

/** The tables as migrations/ makes them, in camelCase. */
export interface Tables {
  states: StateTable
  counties: CountyTable
  users: UserTable
  apiKeys: ApiKeyTable
  scrapeUrls: ScrapeUrlTable
  jobs: JobTable
  executions: ExecutionTable
  scrapeDays: ScrapeDayTable
  jobLogLines: LogLineTable
  jobEvents: JobEventTable
  jobEdits: JobEditTable
  jobErrors: JobErrorTable
  jobBatches: JobBatchTable
  jobBatchMembers: { batchId: string; jobId: string }
  workerNodes: WorkerNodeTable
  politenessGates: { key: string; nextAt: Date }
  prospects: ProspectTable
  prospectLots: { countyFips: string; caseKey: string | null; auctionDate: CalendarDate | null; highest: number }
  listings: ListingTable
  jobProspects: { jobId: string; prospectId: string }
  prospectChanges: ProspectChangeTable
  schedules: ScheduleTable
  webhooks: WebhookTable
  webhookSecrets: { webhookId: string; secret: Buffer }
  webhookDeliveries: WebhookDeliveryTable
  exportLinkSecret: { onlyRow: Generated<boolean>; secret: Buffer }
  prospectChangeCounter: { onlyRow: Generated<boolean>; position: number }
}

/** An instant the database fills with now() unless told. */
type At = ColumnType<Date, Date | string | undefined, Date | string>
type MaybeAt = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>
type Maybe<T> = ColumnType<T | null, T | null | undefined, T | null>

interface StateTable {
  code: string
  name: string
  fips: string
}

interface CountyTable {
  fips: string
  stateCode: string
  name: string
  /** IANA zone. */
  timezone: string
}

interface UserTable {
  id: Generated<string>
  name: string
  role: Role
  active: Generated<boolean>
  createdAt: At
}

interface ApiKeyTable {
  id: Generated<string>
  userId: string
  name: string
  /** The first characters of the key, shown in lists. */
  prefix: string
  /** SHA-256 of the whole key. */
  hash: Buffer
  createdAt: At
  lastUsedAt: MaybeAt
  expiresAt: MaybeAt
  revokedAt: MaybeAt
}

interface ScrapeUrlTable {
  id: Generated<string>
  countyFips: string
  url: string
  platform: SitePlatform
  /** The tenant behind the URL: Site.siteKey. */
  siteKey: string
  auctionType: Maybe<AuctionType>
  transport: Generated<Transport>
  timezone: Maybe<string>
  active: Generated<boolean>
  options: JSONColumnType<Record<string, unknown>, string | undefined, string>
  lastScrapedAt: MaybeAt
  createdBy: Maybe<string>
  updatedBy: Maybe<string>
  createdAt: At
  updatedAt: At
}

interface JobTable {
  id: Generated<string>
  name: string
  countyFips: string
  scrapeUrlId: string
  startDate: CalendarDate
  endDate: CalendarDate
  status: Generated<JobStatus>
  held: Generated<boolean>
  priority: Generated<number>
  /** This job's own, set from a terminal; null: the scrape URL's. */
  transport: Maybe<Transport>
  timeoutSeconds: number
  attempt: Generated<number>
  maxAttempts: Generated<number>
  nextAttemptAt: MaybeAt
  queueId: Maybe<string>
  sequence: Generated<number>
  lastLine: Generated<number>
  rowsProcessed: Generated<number>
  rowsSuccess: Generated<number>
  rowsFailed: Generated<number>
  datesTotal: number
  datesDone: Generated<number>
  currentDate: Maybe<CalendarDate>
  endedByErrorId: Maybe<string>
  clonedFromId: Maybe<string>
  /** The schedule that made it. */
  scheduleId: Maybe<string>
  /** `submitJob:KEY`: unique among its user's jobs. */
  idempotencyKey: Maybe<string>
  idempotencyHash: Maybe<string>
  createdBy: Maybe<string>
  updatedBy: Maybe<string>
  createdAt: At
  updatedAt: At
  startedAt: MaybeAt
  finishedAt: MaybeAt
  /** The sum over its executions. */
  durationMs: Maybe<number>
}

/** Time and calls of one stage of an execution. */
export interface StageTiming {
  name: StageName
  durationMs: number
  count: number
}

interface ExecutionTable {
  id: Generated<string>
  jobId: string
  attempt: number
  status: Generated<ExecutionStatus>
  startedAt: At
  heartbeatAt: At
  finishedAt: MaybeAt
  durationMs: Maybe<number>
  rowsProcessed: Generated<number>
  rowsSuccess: Generated<number>
  rowsFailed: Generated<number>
  stages: JSONColumnType<StageTiming[], string | undefined, string>
  /** Holds `ok` whenever the execution has ended. */
  stats: JSONColumnType<Record<string, unknown>, string | undefined, string>
  errorMessage: Maybe<string>
  workerNode: string
  workerPid: Maybe<number>
}

interface ScrapeDayTable {
  id: Generated<string>
  jobId: Maybe<string>
  executionId: Maybe<string>
  scrapeUrlId: string
  date: Maybe<CalendarDate>
  /** The newest report of its job and date. */
  latest: Generated<boolean>
  attempt: Generated<number>
  outcome: Generated<DayOutcome>
  proof: Maybe<CompletenessProof>
  expected: Maybe<number>
  scheduled: Maybe<number>
  waiting: Maybe<number>
  running: Maybe<number>
  closed: Maybe<number>
  received: Generated<number>
  saved: Generated<number>
  rejected: Generated<number>
  created: Generated<number>
  updated: Generated<number>
  unchanged: Generated<number>
  final: Generated<boolean>
  pages: Generated<number>
  durationMs: Generated<number>
  finishedAt: MaybeAt
}

interface LogLineTable {
  jobId: string
  line: number
  executionId: Maybe<string>
  at: At
  level: LogLevel
  message: string
  data: JSONColumnType<Record<string, unknown> | null, string | null | undefined, string | null>
}

interface JobEventTable {
  jobId: string
  sequence: number
  at: At
  status: JobStatus
  attempt: number
  nextAttemptAt: MaybeAt
  rowsProcessed: number
  rowsSuccess: number
  rowsFailed: number
  datesDone: number
  currentDate: Maybe<CalendarDate>
  errorMessage: Maybe<string>
}

/** The hold and the name that a job had until it changed to this sequence. */
interface JobEditTable {
  jobId: string
  sequence: number
  at: Date
  held: boolean
  name: string
}

interface JobErrorTable {
  id: Generated<string>
  jobId: string
  executionId: Maybe<string>
  scrapeDayId: Maybe<string>
  category: ErrorCategory
  code: string
  message: string
  traceback: Maybe<string>
  retryable: boolean
  date: Maybe<CalendarDate>
  url: Maybe<string>
  occurredAt: At
  auctionId: Maybe<string>
  field: Maybe<string>
  rawData: JSONColumnType<RawData | null, string | null | undefined, string | null>
}

interface JobBatchTable {
  id: Generated<string>
  /** The key of submitJobs: unique among its user's batches. */
  idempotencyKey: Maybe<string>
  idempotencyHash: Maybe<string>
  createdBy: Maybe<string>
  createdAt: At
}

/** One child process as its node last told of it. */
export interface WorkerRow {
  pid: number
  state: 'STARTING' | 'IDLE' | 'BUSY'
  jobId: string | null
  jobsDone: number
  rssBytes: number
}

interface WorkerNodeTable {
  name: string
  startedAt: At
  heartbeatAt: At
  workers: JSONColumnType<WorkerRow[], string | undefined, string>
  /** Why the node does not take all jobs; null when it does. */
  fault: Maybe<string>
}

interface ProspectTable {
  id: Generated<string>
  countyFips: string
  /** The county's state; `stateCode` is the address's. */
  countyState: string
  /** State and name of the county, what counties are sorted by; the database fills it in. */
  countySort: Generated<string>
  caseNumber: Maybe<string>
  caseSuffix: Maybe<string>
  /** The case number with its suffix, upper case, letters and digits only. */
  caseKey: Maybe<string>
  lot: number
  auctionDate: Maybe<CalendarDate>
  startsAt: MaybeAt
  timeText: Maybe<string>
  auctionStatus: AuctionStatus
  auctionStatusText: Maybe<string>
  auctionType: AuctionType
  auctionTypeText: Maybe<string>
  propertyAddress: Maybe<string>
  city: Maybe<string>
  stateCode: Maybe<string>
  zip: Maybe<string>
  parcelId: Maybe<string>
  parcelKey: Maybe<string>
  addressKey: Maybe<string>
  legalDescription: Maybe<string>
  finalJudgmentAmount: Maybe<Decimal>
  plaintiffMaxBid: Maybe<Decimal>
  assessedValue: Maybe<Decimal>
  assessedValueLabel: Maybe<string>
  openingBid: Maybe<Decimal>
  depositAmount: Maybe<Decimal>
  saleAmount: Maybe<Decimal>
  soldAt: MaybeAt
  soldTo: Maybe<string>
  buyerType: Maybe<BuyerType>
  /** Computed by the database. */
  surplus: ColumnType<Decimal | null, never, never>
  plaintiff: Maybe<string>
  defendant: Maybe<string>
  attorney: Maybe<string>
  certificateNumber: Maybe<string>
  saleNumber: Maybe<string>
  auctionId: Maybe<string>
  caseUrl: Maybe<string>
  parcelUrl: Maybe<string>
  sourceUrl: string
  rawData: JSONColumnType<RawData, string, string>
  listed: Generated<boolean>
  delistedAt: MaybeAt
  lastJobId: Maybe<string>
  firstSeenAt: At
  lastSeenAt: At
  updatedAt: At
}

interface ListingTable {
  id: Generated<string>
  prospectId: string
  scrapeUrlId: string
  siteKey: string
  sourceKey: string
  url: string
  statusText: Maybe<string>
  fields: JSONColumnType<ProspectFields, string, string>
  rawData: JSONColumnType<RawData, string, string>
  caseKey: Maybe<string>
  parcelKey: Maybe<string>
  addressKey: Maybe<string>
  auctionDate: Maybe<CalendarDate>
  firstSeenAt: At
  lastSeenAt: At
  delistedAt: MaybeAt
  closedAt: MaybeAt
}

/** One changed field, named and printed as the API prints it. */
export interface FieldChange {
  field: string
  before: string | null
  after: string | null
}

interface ProspectChangeTable {
  /** Gapless, in commit order. */
  position: number
  prospectId: string
  countyFips: string
  scrapeUrlId: string
  jobId: Maybe<string>
  at: At
  kind: ChangeKind
  auctionType: AuctionType
  fields: JSONColumnType<FieldChange[], string, string>
}

interface ScheduleTable {
  id: Generated<string>
  scrapeUrlId: string
  /** Five fields, or a name such as `@daily`. */
  cron: string
  /** IANA zone of the pattern; null: the site's. */
  timezone: Maybe<string>
  active: Generated<boolean>
  lookbackDays: Generated<number>
  lookaheadDays: Generated<number>
  priority: Generated<number>
  /** null: not active, or the pattern never comes again. */
  nextRunAt: MaybeAt
  lastRunAt: MaybeAt
  skippedRuns: Generated<number>
  createdBy: Maybe<string>
  createdAt: At
  updatedAt: At
}

interface WebhookTable {
  id: Generated<string>
  url: string
  events: WebhookEvent[]
  active: Generated<boolean>
  createdBy: Maybe<string>
  createdAt: At
  updatedAt: At
}

interface WebhookDeliveryTable {
  id: string
  webhookId: string
  event: WebhookEvent
  /** When it happened. */
  at: Date
  /** What is sent; null once it is over. */
  body: Maybe<string>
  attempt: Generated<number>
  /** The HTTP status of the newest try. */
  status: Maybe<number>
  error: Maybe<string>
  /** When it may be tried (again); null: over. */
  nextAttemptAt: MaybeAt
}

export type StateRow = Selectable<StateTable>
export type CountyRow = Selectable<CountyTable>
export type UserRow = Selectable<UserTable>
export type ApiKeyRow = Selectable<ApiKeyTable>
export type ScrapeUrlRow = Selectable<ScrapeUrlTable>
export type JobRow = Selectable<JobTable>
export type ExecutionRow = Selectable<ExecutionTable>
export type ScrapeDayRow = Selectable<ScrapeDayTable>
export type LogLineRow = Selectable<LogLineTable>
export type JobEventRow = Selectable<JobEventTable>
export type JobEditRow = Selectable<JobEditTable>
export type JobErrorRow = Selectable<JobErrorTable>
export type JobBatchRow = Selectable<JobBatchTable>
export type WorkerNodeRow = Selectable<WorkerNodeTable>
export type ProspectRow = Selectable<ProspectTable>
export type ListingRow = Selectable<ListingTable>
export type ProspectChangeRow = Selectable<ProspectChangeTable>
export type ScheduleRow = Selectable<ScheduleTable>
export type WebhookRow = Selectable<WebhookTable>
/** A delivery without its body. */
export type WebhookDeliveryRow = Omit<Selectable<WebhookDeliveryTable>, 'body'>
