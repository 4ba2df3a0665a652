import type {
  AuctionType,
  CalendarDate,
  DayFigures,
  LogLevel,
  RawData,
  SitePlatform,
  StageName,
  Transport,
} from '../../domain.ts'
import type { LabelField } from '../convert/labels.ts'
import type { ScrapeError } from '../errors.ts'
import type { BrowserHost, HttpFetcher } from '../fetch/fetcher.ts'
import type { InputIssue } from '../outcome.ts'

/** A platform's adapter. Knows pages and nothing of jobs or the database; stateless between visits. */
export interface Site {
  readonly platform: SitePlatform
  /**
   * The tenant behind a URL, the `site` that jobs wait for and listings belong to: for RealAuction the host without
   * `www.` (with its port when that is not the scheme's own), in lower case.
   */
  siteKey(url: URL): string
  /**
   * Reads the given dates in order and yields one read per date (CivilView and HTML tables may add one with date
   * null for undated rows). The caller saves each day before it asks for the next.
   *
   * A day that could not be proved is yielded with its outcome and its error, not thrown. What is thrown ends the
   * visit: NOT_A_TENANT, NO_BROWSER, an abort of `signal`, and faults of our own.
   */
  read(visit: Visit): AsyncGenerator<DayRead, void, undefined>
}

/** All that a platform's folder gives: its sites, their saved pages, and what their scrape URLs are to look like. */
export interface Platform extends Site {
  /**
   * The listings in a saved page or answer, and a word on a body that is not what it seems. `url`: where the file is.
   * Throws ScrapeError for a body that cannot be read.
   */
  readSaved(body: string, url: string): SavedListings
  /** What is wrong with the address or the options of a scrape URL, by path; empty when nothing is. */
  issuesOf(url: URL, options: unknown): InputIssue[]
}

export interface SavedListings {
  items: SiteItem[]
  note: string | null
}

/** One job's visit to one site. */
export interface Visit {
  url: URL
  /** The scrape URL's options, as saved: the platform's own settings. */
  options: unknown
  /** Ascending, distinct. */
  dates: readonly CalendarDate[]
  /** The site's own calendar day. */
  today: CalendarDate
  transport: Transport
  http: HttpFetcher
  /** Opens a browser on the first use; throws NO_BROWSER where none is to be had. */
  browser: BrowserHost
  signal: AbortSignal
  /** A line for the job's log. */
  log(level: LogLevel, message: string, data?: Record<string, unknown>): void
  /** Runs the work and adds its time to the stage of the execution. Stages are not nested. */
  stage<T>(name: Extract<StageName, 'FETCH' | 'PARSE'>, work: () => Promise<T> | T): Promise<T>
}

/** What one read of one auction day brought. */
export interface DayRead extends DayFigures {
  /** null: rows without a date. */
  date: CalendarDate | null
  /** Distinct by sourceKey, in page order. */
  items: SiteItem[]
  /** Why the day is INCOMPLETE, BLOCKED or FAILED; null for every other outcome. */
  error: ScrapeError | null
}

/** One listing as a page shows it. */
export interface SiteItem {
  /** Unique within its site: product.md, Identity. */
  sourceKey: string
  auctionId: string | null
  /** The page a person would open to see it. */
  url: string
  raw: RawData
  /** The page's own date for the item. */
  auctionDate: CalendarDate | null
  /** `10:00 AM ET`: of the calendar cell or the item; null where the site names none. */
  timeText: string | null
  /** How the scrape URL's options have its labels read; absent: as everywhere. */
  reading?: LabelReading
}

/** What a scrape URL's options say of labels and values that do not speak for themselves. */
export interface LabelReading {
  /** What a label names, by the label as printed; the others name what they name everywhere. */
  fields: ReadonlyMap<string, LabelField>
  /** Finds the amount in the text of a field of money: its first group, else the whole match. null: the text is it. */
  money: RegExp | null
  /** Luxon's format of dates; null: as county pages write them. */
  dateFormat: string | null
}

/** What conversion needs to know beside the item. */
export interface ConvertContext {
  platform: SitePlatform
  /** The site's county's state, `FL`. */
  state: string
  /** IANA zone for times that name none. */
  timezone: string
  today: CalendarDate
  /** The scrape URL's type, for items that name none. */
  auctionType: AuctionType | null
}
