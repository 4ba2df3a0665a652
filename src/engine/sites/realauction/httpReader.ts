import type { RawStatus } from '../../../domain.ts'
import type { HttpSession } from '../../fetch/fetcher.ts'
import type { Visit } from '../site.ts'
import { judgeRedirect, judgeStatus } from './answers.ts'
import { parseCalendar } from './calendar.ts'
import { Collector } from './collect.ts'
import { areas, type DayReader, idsPerStatusCall, mostPages } from './dayReader.ts'
import type { Area } from './items.ts'
import { parseLoad } from './load.ts'
import { parsePreview } from './preview.ts'
import { parseStatus } from './status.ts'
import { calendarUrl, loadUrl, previewUrl, statusUrl } from './urls.ts'

/** Reads the site by the requests that its own pages make. */
export function createHttpReader(visit: Visit): DayReader {
  return {
    async open() {
      const session = visit.http.session({ onRedirect: (to) => judgeRedirect(visit.url, to) })
      return {
        readMonth: (month) => read(visit, session, calendarUrl(visit.url, month), parseCalendar),
        readDay: async (date) => {
          const preview = await read(visit, session, previewUrl(visit.url, date), parsePreview)
          const collector = new Collector(date, preview)
          for (const area of areas) await readArea(visit, session, area, collector)
          return collector.finish(await readStatuses(visit, session, collector.ids))
        },
        close: async () => {},
      }
    },
  }
}

/** Beyond its last page an area shows that page again, or nothing. A page shorter than the first is the last one. */
async function readArea(visit: Visit, session: HttpSession, area: Area, collector: Collector): Promise<void> {
  let full = 0
  for (let page = 1; page <= mostPages; page++) {
    const { items } = await read(visit, session, loadUrl(visit.url, area, page), parseLoad)
    if (collector.add(area, items) === 0 || items.length < full) return
    full = items.length
  }
}

async function readStatuses(visit: Visit, session: HttpSession, ids: string[]): Promise<Map<string, RawStatus>> {
  const statuses = new Map<string, RawStatus>()
  for (let from = 0; from < ids.length; from += idsPerStatusCall) {
    const url = statusUrl(visit.url, ids.slice(from, from + idsPerStatusCall))
    for (const [id, status] of (await read(visit, session, url, parseStatus)).items) statuses.set(id, status)
  }
  return statuses
}

async function read<T>(visit: Visit, session: HttpSession, url: URL, parse: (text: string) => T): Promise<T> {
  const page = await visit.stage('FETCH', () => session.get(url))
  return visit.stage('PARSE', () => {
    judgeStatus({ ...page, url: page.url.href })
    return parse(page.text)
  })
}
