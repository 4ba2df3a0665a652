import type { CalendarDate, RawStatus } from '../../../domain.ts'
import { parseDate } from '../../convert/dates.ts'
import { ScrapeError } from '../../errors.ts'
import type { SessionRead } from './dayReader.ts'
import type { Area, ParsedItem } from './items.ts'
import type { PreviewPage } from './preview.ts'

/** Gathers the pages of one session into what it showed of the day. */
export class Collector {
  readonly #listed: readonly string[] | null
  readonly #date: CalendarDate
  readonly #found = new Map<string, { item: ParsedItem; area: Area }>()
  readonly #inArea: Record<Area, Set<string>> = { W: new Set(), R: new Set(), C: new Set() }
  #pages = 0

  /** Throws COLD_SESSION when the day page is another day's. */
  constructor(date: CalendarDate, preview: PreviewPage) {
    if (preview.date !== null && preview.date !== date) throw astray(date, `the day page is that of ${preview.date}`)
    this.#date = date
    this.#listed = preview.ids
  }

  /** Adds a page and tells how many of its listings this area had not shown before: 0 ends the area. */
  add(area: Area, items: readonly ParsedItem[]): number {
    const before = this.#inArea[area].size
    for (const item of items) {
      this.#inArea[area].add(item.auctionId)
      // An item that moved while we read stands where it was seen last in the order W, R, C; put last, to keep order.
      this.#found.delete(item.auctionId)
      this.#found.set(item.auctionId, { item, area })
    }
    const added = this.#inArea[area].size - before
    if (added > 0) this.#pages++
    return added
  }

  get ids(): string[] {
    return [...this.#found.keys()]
  }

  /**
   * Throws COLD_SESSION when the listings are not this day's: none is on the day's list, or their statuses name other
   * days and never this one.
   */
  finish(statuses: ReadonlyMap<string, RawStatus>): SessionRead {
    const listed = new Set(this.#listed)
    if (listed.size > 0 && this.#found.size > 0 && !this.ids.some((id) => listed.has(id))) {
      throw astray(this.#date, 'none of the listings is on the list of the day')
    }
    const dates = [...statuses.values()].map(dateOf).filter((date) => date !== null)
    if (dates.length > 0 && !dates.includes(this.#date)) {
      throw astray(this.#date, `the listings are of ${[...new Set(dates)].join(', ')}`)
    }
    const items = new Map(
      [...this.#found].map(([id, { item, area }]) => [id, { ...item, area, status: statuses.get(id) ?? null }]),
    )
    return { listed: this.#listed, items, pages: this.#pages }
  }
}

/** The day of `07/20/2026 10:00 AM ET`, when an auction starts or was sold; null where a status names none. */
const dateOf = (status: RawStatus): CalendarDate | null => parseDate(status.B.split(' ')[0] ?? '')

function astray(date: CalendarDate, why: string): ScrapeError {
  return new ScrapeError('COLD_SESSION', `the session does not stand at ${date}: ${why}`, { date })
}
