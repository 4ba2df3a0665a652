/** A worker whose sites have nothing on any day, and note in the file that their URL names when they are entered. */
import { appendFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import type { Site } from '../../src/engine/sites/site.ts'

enableCompileCache()
const { runWorker } = await import('../../src/engine/runWorker.ts')

const figures = { expected: null, scheduled: null, waiting: null, running: null, closed: null, pages: 1 }

const emptySite: Site = {
  platform: 'REALAUCTION',
  siteKey: (url) => url.hostname,
  async *read({ url, dates }) {
    const entered = process.hrtime.bigint()
    appendFileSync(url.searchParams.get('starts') ?? '', `${url.hostname} ${entered}\n`)
    for (const date of dates) yield { ...figures, date, items: [], outcome: 'EMPTY', proof: 'CALENDAR', error: null }
  },
}

await runWorker({ siteFor: () => emptySite })
