/** A worker whose site opens a page in the browser on each day, and hangs there on the second. */
import { setTimeout as delay } from 'node:timers/promises'
import { runWorker } from '../../src/engine/runWorker.ts'
import type { Site } from '../../src/engine/sites/site.ts'

const site: Site = {
  platform: 'REALAUCTION',
  siteKey: (url) => url.hostname,
  async *read(visit) {
    for (const [n, date] of visit.dates.entries()) {
      const context = await visit.browser.context()
      const page = await context.newPage()
      await page.setContent('<p>A sale day.</p>')
      if (n === 1 && visit.url.searchParams.has('hang')) await delay(600_000, undefined, { signal: visit.signal })
      await context.close()
      const figures = { expected: 0, scheduled: null, waiting: null, running: null, closed: null, pages: 1 }
      yield { ...figures, date, items: [], outcome: 'EMPTY', proof: 'CALENDAR', error: null }
    }
  },
}

await runWorker({ siteFor: () => site })
