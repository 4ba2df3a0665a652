import type { CalendarDate } from '../../domain.ts'
import { asScrapeError, ScrapeError } from '../errors.ts'
import { openPages, type Pages } from './pages.ts'
import type { DayRead, SiteItem, Visit } from './site.ts'

/** What a site that lists everything at once showed. */
export interface FullList<Entry extends ListEntry = ListEntry> {
  /** In page order. */
  entries: readonly Entry[]
  /** Whether its listings have dates at all: one without them says nothing of any day. */
  dated: boolean
  /** Pages of the list. */
  pages: number
  /** Why there may be more than this; null: it was read to its end. */
  gap: string | null
  /**
   * The listings of some entries. What could not be read is told in `lacks`; throws what ends the read of a day, and
   * COLD_SESSION when the session turns out to be another one.
   */
  itemsOf(entries: readonly Entry[]): Promise<{ items: SiteItem[]; lacks: ScrapeError | null }>
}

export interface ListEntry {
  date: CalendarDate | null
  /** The list it stands in: W of sales to come, C of those that are over; null where there is but one. */
  area: 'W' | 'C' | null
}

/** A visit that has opened this many sessions opens no more. */
const mostSessions = 10

/**
 * Reads a site that lists everything at once: the list at the start of the visit, then each date's listings, and those
 * without a date last. A whole list proves every day (FULL_LIST): a day without listings is EMPTY when it is past,
 * today, or before a day that has some, else NOT_PUBLISHED.
 *
 * A list that is not whole, and a session that turns out to be another one, are read once more in a fresh session.
 * AUTO turns to the browser where plain HTTP is refused or stays cold. A list that cannot be read fails every day.
 */
export async function* readFullList(
  visit: Visit,
  openList: (pages: Pages) => Promise<FullList>,
): AsyncGenerator<DayRead, void, undefined> {
  const reading = new Reading(visit, openList)
  try {
    let failed = false
    for (const date of visit.dates) {
      const read = await reading.readDay(date)
      failed ||= reading.failure !== null
      yield read
    }
    // Where the list failed, the days say so; without any, this is what does.
    if (!failed || visit.dates.length === 0) yield await reading.readDay(null)
  } finally {
    await reading.drop()
  }
}

class Reading {
  /** Why there is no list: what every day that is left ends with. */
  failure: ScrapeError | null = null
  readonly #visit: Visit
  readonly #openList: (pages: Pages) => Promise<FullList>
  /** In use, and what AUTO may turn to. */
  readonly #transports: ('HTTP' | 'BROWSER')[]
  #session: { pages: Pages; list: FullList } | null = null
  #sessions = 0

  constructor(visit: Visit, openList: (pages: Pages) => Promise<FullList>) {
    this.#visit = visit
    this.#openList = openList
    this.#transports = visit.transport === 'AUTO' ? ['HTTP', 'BROWSER'] : [visit.transport]
  }

  async readDay(date: CalendarDate | null): Promise<DayRead> {
    const read = await this.#readBy(date)
    if (this.#transports.length < 2 || !mayHelp(read.error)) return read
    this.#visit.log('WARN', 'plain HTTP cannot read this, trying the browser', { error: read.error?.message })
    const [plain] = this.#transports.splice(0, 1)
    const failure = this.failure
    this.failure = null
    await this.drop()
    try {
      return await this.#readBy(date)
    } catch (error) {
      if (!(error instanceof ScrapeError) || error.code !== 'NO_BROWSER' || plain === undefined) throw error
      this.#visit.log('WARN', 'there is no browser to read it with', { error: error.message })
      this.#transports.splice(0, 1, plain)
      this.failure = failure
      return read
    }
  }

  async drop(): Promise<void> {
    const session = this.#session
    this.#session = null
    await session?.pages.close()
  }

  /** Twice where a fresh session may help. */
  async #readBy(date: CalendarDate | null): Promise<DayRead> {
    for (let again = false; ; again = true) {
      this.#visit.signal.throwIfAborted()
      if (this.failure !== null) return failed(date, this.failure)
      try {
        const list = await this.#list()
        return await judge(this.#visit, list, date)
      } catch (thrown) {
        this.#visit.signal.throwIfAborted()
        const error = asScrapeError(thrown)
        if (error.code === 'NO_BROWSER') throw error
        if (this.#session === null) this.failure = error
        if (error.code !== 'COLD_SESSION') return failed(date, error)
        await this.drop()
        if (again || this.#sessions >= mostSessions) return failed(date, error)
        this.failure = null
        this.#visit.log('DEBUG', 'reading once more in a fresh session', { error: error.message })
      }
    }
  }

  async #list(): Promise<FullList> {
    if (this.#session !== null) return this.#session.list
    let list = await this.#open()
    if (list.gap !== null && this.#sessions < mostSessions) {
      this.#visit.log('DEBUG', 'reading the list once more', { gap: list.gap })
      await this.drop()
      list = await this.#open()
    }
    return list
  }

  async #open(): Promise<FullList> {
    this.#sessions++
    const pages = await openPages(this.#visit, this.#transports[0] as 'HTTP' | 'BROWSER')
    try {
      const list = await this.#openList(pages)
      this.#session = { pages, list }
      return list
    } catch (error) {
      await pages.close()
      throw error
    }
  }
}

/** A browser may pass where plain HTTP was refused; where the site asked to wait, it is waited. */
const mayHelp = (error: ScrapeError | null): boolean =>
  error !== null &&
  (error.code === 'COLD_SESSION' || (error.code === 'BLOCKED' && error.detail.retryAfterSeconds === undefined))

async function judge(visit: Visit, list: FullList, date: CalendarDate | null): Promise<DayRead> {
  const entries = list.entries.filter((entry) => entry.date === date)
  const read = entries.length === 0 ? { items: [], lacks: null } : await list.itemsOf(entries)
  const whole = list.gap === null ? null : new ScrapeError('DAY_INCOMPLETE', list.gap, { url: visit.url.href })
  const error = whole ?? read.lacks
  const count = (area: 'W' | 'C') => {
    const known = entries.filter((entry) => entry.area !== null)
    return known.length === 0 ? null : known.filter((entry) => entry.area === area).length
  }
  const figures = {
    date,
    items: read.items,
    expected: whole === null && entries.length > 0 ? entries.length : null,
    scheduled: null,
    waiting: count('W'),
    running: null,
    closed: count('C'),
    pages: list.pages,
    error,
  }
  if (error !== null) return { ...figures, outcome: 'INCOMPLETE', proof: null }
  if (entries.length > 0) return { ...figures, outcome: 'COMPLETE', proof: 'FULL_LIST' }
  if (date === null || (list.dated && isCovered(visit, list, date))) {
    return { ...figures, outcome: 'EMPTY', proof: 'FULL_LIST' }
  }
  return { ...figures, outcome: 'NOT_PUBLISHED', proof: null }
}

const isCovered = (visit: Visit, list: FullList, date: CalendarDate): boolean =>
  date <= visit.today || list.entries.some((entry) => entry.date !== null && entry.date > date)

function failed(date: CalendarDate | null, error: ScrapeError): DayRead {
  const none = { expected: null, scheduled: null, waiting: null, running: null, closed: null, pages: 0 }
  const outcome = error.code === 'BLOCKED' ? 'BLOCKED' : 'FAILED'
  return { ...none, date, items: [], outcome, proof: null, error }
}
