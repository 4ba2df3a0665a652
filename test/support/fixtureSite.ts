import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { CalendarDate } from '../../src/domain.ts'
import { ScrapeError } from '../../src/engine/errors.ts'
import type { DayRead, Site, SiteItem, Visit } from '../../src/engine/sites/site.ts'

/**
 * A site without a network. The query of its URL says how it behaves:
 * `items=N` listings a day; `hang=FILE` waits in the middle of the second day until the file is there;
 * `fail=CODE` ends the second day with that error; `crash=1` ends the process on the second day;
 * `spin=1` blocks the event loop; `retryAfter=S` asks for a wait that the attempt has no time for;
 * `label=TEXT` shows a label nobody knows; `bad=1` has one listing with a broken amount.
 */
export const fixtureSite: Site = {
  platform: 'REALAUCTION',
  siteKey: (url) => url.hostname,
  async *read(visit) {
    const ask = visit.url.searchParams
    for (const [n, date] of visit.dates.entries()) {
      if (n === 1) {
        const hang = ask.get('hang')
        if (hang !== null) await untilThere(hang, visit.signal)
        if (ask.has('crash')) process.exit(7)
        while (ask.has('spin'));
        const code = ask.get('fail')
        if (code !== null) {
          yield failed(date, code as 'CONNECTION', ask.get('retryAfter'))
          continue
        }
      }
      const items = await visit.stage('PARSE', () => listings(visit, date))
      yield { ...figures, expected: items.length, date, items, outcome: 'COMPLETE', proof: 'ID_LIST', error: null }
    }
  },
}

async function untilThere(file: string, signal: AbortSignal): Promise<void> {
  while (!existsSync(file)) await delay(20, undefined, { signal })
}

const figures = { scheduled: null, waiting: null, running: null, closed: null, pages: 1 }

function failed(date: CalendarDate, code: 'CONNECTION', retryAfter: string | null): DayRead {
  const detail = { date, ...(retryAfter === null ? {} : { retryAfterSeconds: Number(retryAfter) }) }
  const error = new ScrapeError(code, `${code} on ${date}`, detail)
  const outcome = code === ('BLOCKED' as string) ? 'BLOCKED' : 'FAILED'
  return { ...figures, expected: null, date, items: [], outcome, proof: null, error }
}

function listings(visit: Visit, date: CalendarDate): SiteItem[] {
  const ask = visit.url.searchParams
  const label = ask.get('label')
  return Array.from({ length: Number(ask.get('items') ?? 3) }, (_, n) => {
    const id = `${date.replaceAll('-', '')}${n}`
    const bid = n === 0 && ask.has('bad') ? '$12,34x' : `$${n + 1},000.50`
    return {
      sourceKey: id,
      auctionId: id,
      url: `${visit.url.origin}/${id}`,
      auctionDate: date,
      timeText: '10:00 AM ET',
      raw: {
        fields: [
          { label: 'Auction Type:', value: 'FORECLOSURE' },
          { label: 'Case #:', value: `${date.slice(0, 4)}-${id}-CA-01` },
          { label: 'Final Judgment Amount:', value: bid },
          { label: 'Parcel ID:', value: `30-${id}` },
          { label: 'Property Address:', value: `${n + 1} =SUM ST` },
          { label: '', value: 'MIAMI, FL- 33101' },
          ...(label === null ? [] : [{ label, value: '-7' }]),
        ],
        status: null,
        area: 'W' as const,
      },
    }
  })
}
