import { builder } from './builder.ts'

/** An enum of the contract: its name, what it is, and each value with its meaning. */
function enumeration<const Value extends string>(name: string, description: string, values: Record<Value, string>) {
  const described = Object.fromEntries(
    Object.entries<string>(values).map(([value, meaning]) => [value, { value, description: meaning }]),
  )
  return builder.enumType(name, { description, values: described as unknown as { [V in Value]: { value: V } } })
}

export const SitePlatform = enumeration('SitePlatform', 'The kind of county site.', {
  REALAUCTION: 'realforeclose.com, realtaxdeed.com, realtaxlien.com and their kin.',
  CIVILVIEW: 'salesweb.civilview.com, the sheriff sales of many counties.',
  HTML_TABLE: 'A page of the county with its auctions in one table.',
})

export const Transport = enumeration('Transport', 'How a site is read.', {
  AUTO: 'Plain HTTP, and the browser where the site needs one.',
  HTTP: 'Plain HTTP alone.',
  BROWSER: 'The browser alone.',
})

export const JobStatus = enumeration('JobStatus', 'Where a job stands.', {
  PENDING: 'Held, queued, or waiting for its next attempt.',
  RUNNING: 'A worker is at it.',
  COMPLETED: 'Every day was read and proved.',
  FAILED: 'The newest attempt failed, and no further one comes by itself.',
  CANCELLED: 'Somebody ended it.',
})

export const ErrorCategory = enumeration('ErrorCategory', 'What kind of error it was, which decides on retries.', {
  NETWORK: 'Connection, timeout, HTTP status, blocked, offline, cold session: tried again.',
  PARSING: 'An incomplete day, a changed template: tried again.',
  DATA_VALIDATION: 'A row that cannot be converted, or no tenant at this address: not tried again.',
  SYSTEM: 'A fault of our own: not tried again, except for a lost worker.',
})

export const DayOutcome = enumeration('DayOutcome', 'How a read of one auction day ended.', {
  PENDING: 'Not reached yet.',
  COMPLETE: 'Everything the site says there is has been received.',
  EMPTY: 'Proved to be without a sale.',
  NOT_PUBLISHED: 'A later day that the site has not published yet; read again next time.',
  GONE: 'A past day that the site still counts items for and shows no more.',
  INCOMPLETE: 'Fewer items than the site says there are.',
  BLOCKED: 'The site refused: 403, 429 without end, a captcha.',
  FAILED: 'The read ended with an error.',
})

export const CompletenessProof = enumeration('CompletenessProof', 'What proves a day complete.', {
  ID_LIST: "The day's own list of ids.",
  COUNT: "The calendar's count of scheduled items.",
  FULL_LIST: 'The whole list, read to its end.',
  CALENDAR: 'The calendar, which shows no sale on the day.',
})

export const ExecutionStatus = enumeration('ExecutionStatus', 'Where one run of a job stands.', {
  RUNNING: 'A worker is at it.',
  COMPLETED: 'Every day it had left was read and proved.',
  FAILED: 'It ended with an error.',
  CANCELLED: 'The job was cancelled while it ran.',
})

export const LogLevel = enumeration('LogLevel', 'How much a log line matters.', {
  DEBUG: 'Details for finding a fault.',
  INFO: 'What is going on.',
  WARN: 'Something is odd, and the work goes on.',
  ERROR: 'Something failed.',
})

export const AuctionType = enumeration('AuctionType', 'What is sold, and why.', {
  FORECLOSURE: 'A mortgage foreclosure sale.',
  TAX_DEED: 'The property itself, for unpaid taxes.',
  TAX_LIEN: 'The claim on unpaid taxes.',
  SHERIFF_SALE: "A sheriff's sale on execution.",
  OTHER: 'Anything else, or not told.',
})

export const AuctionStatus = enumeration('AuctionStatus', 'What became of an auction.', {
  SCHEDULED: 'Waiting for its sale.',
  RUNNING: 'Being sold at the read.',
  SOLD: 'Sold to a named kind of buyer for an amount.',
  UNSOLD: 'Offered and not sold: no bid, struck off, the bidder walked away.',
  CANCELLED: 'Taken off: cancelled, withdrawn, settled.',
  POSTPONED: 'Put off: rescheduled, adjourned, bankruptcy.',
  REDEEMED: 'The owner paid what was due.',
  UNKNOWN: 'The words of the site were not understood; they are kept.',
})

export const BuyerType = enumeration('BuyerType', 'Who bought.', {
  THIRD_PARTY: 'A bidder who was no party.',
  PLAINTIFF: 'The party that foreclosed.',
  CERTIFICATE_HOLDER: 'The holder of the tax certificate.',
  OTHER: 'Anybody else.',
})

export const ProspectChangeKind = enumeration('ProspectChangeKind', 'What happened to a prospect.', {
  CREATED: 'It was seen for the first time.',
  UPDATED: 'Some of its fields changed.',
  DELISTED: 'A complete read of its day did not show it.',
  RELISTED: 'It was shown again.',
})

export const Role = enumeration('Role', 'What a user may do.', {
  VIEWER: 'Read.',
  OPERATOR: 'Read, and run jobs.',
  ADMIN: 'Everything.',
})

export const WorkerState = enumeration('WorkerState', 'What a worker process is doing.', {
  STARTING: 'Coming up.',
  IDLE: 'Waiting for a job.',
  BUSY: 'Running a job.',
})

export const JobUpdateKind = enumeration('JobUpdateKind', 'Why an update of a job was sent.', {
  SNAPSHOT: 'The job as it stood when it was asked for.',
  CHANGED: 'The job changed.',
  DELETED: 'The job was deleted.',
})

export const WebhookEvent = enumeration('WebhookEvent', 'What a webhook can be told of.', {
  JOB_COMPLETED: 'A job has completed: job.completed.',
  JOB_FAILED: 'A job has failed, and no further attempt comes by itself: job.failed.',
  JOB_CANCELLED: 'A job was cancelled: job.cancelled.',
  PROSPECT_CREATED: 'A day was saved in which prospects were seen for the first time: prospect.created.',
  PROSPECT_UPDATED: 'A day was saved in which known prospects had changed: prospect.updated.',
})

export const ConflictReason = enumeration('ConflictReason', 'Why something cannot be done as things stand.', {
  JOB_RUNNING: 'The job has not ended.',
  JOB_FINISHED: 'The job has ended.',
  NOT_FAILED: 'The job has not failed.',
  NOT_RETRYABLE: 'The error that ended the job would happen again.',
  SCRAPE_URL_INACTIVE: 'The scrape URL is not active.',
  KEY_REUSED: 'The idempotency key was used with other input.',
  ALREADY_EXISTS: 'There is one already.',
  IN_USE: 'Something depends on it.',
})

export const OrderDirection = enumeration('OrderDirection', 'Which way a list runs.', {
  ASC: 'From the lowest or oldest; nulls last.',
  DESC: 'From the highest or newest; nulls last.',
})

export const JobOrderField = enumeration('JobOrderField', 'What jobs can be ordered by.', {
  CREATED_AT: 'When they were submitted.',
  UPDATED_AT: 'When they last changed.',
  STARTED_AT: 'When they were started; jobs that were not, last.',
  PRIORITY: 'Their priority.',
})

export const ExportFormat = enumeration('ExportFormat', 'How a file holds prospects.', {
  CSV: 'RFC 4180, with a header. Texts that a spreadsheet would take for formulas begin with an apostrophe.',
  NDJSON: 'A JSON object on each line, with the values as the API prints them.',
})

export const ProspectOrderField = enumeration('ProspectOrderField', 'What prospects can be ordered by.', {
  AUCTION_DATE: 'Their auction date; those without one, last.',
  FIRST_SEEN_AT: 'When they were first seen.',
  FINAL_JUDGMENT_AMOUNT: 'What the court awarded.',
  ASSESSED_VALUE: 'What the property is valued at.',
  OPENING_BID: 'The least that may be bid.',
  SALE_AMOUNT: 'What they were sold for.',
  SURPLUS: 'The sale amount less its basis.',
  UPDATED_AT: 'When a change of them was last recorded.',
  COUNTY: 'Their county, by state and name.',
})

export const ProspectGroupBy = enumeration('ProspectGroupBy', 'What prospects can be grouped by.', {
  STATE: 'The state of their county.',
  COUNTY: 'Their county.',
  AUCTION_DATE: 'Their auction date.',
  WEEK: 'The week of their auction date, told by its Monday.',
  MONTH: 'The month of their auction date, told by its first day.',
  AUCTION_STATUS: 'What became of them.',
  AUCTION_TYPE: 'What is sold, and why.',
})
