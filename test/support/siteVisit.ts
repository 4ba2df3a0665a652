import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Transport } from '../../src/domain.ts'
import { createBrowserHost, type FoundBrowser } from '../../src/engine/fetch/browser.ts'
import { createGuard } from '../../src/engine/fetch/guard.ts'
import { createHttpFetcher } from '../../src/engine/fetch/http.ts'
import { userAgent } from '../../src/engine/fetch/userAgent.ts'
import type { DayRead, Site } from '../../src/engine/sites/site.ts'
import { createLogger } from '../../src/log.ts'
import { testBrowser } from './browser.ts'
import { freePass } from './freePass.ts'

export interface SiteVisit {
  url: string
  /** `host:port` of the sample site. */
  host: string
  dates: readonly string[]
  today: string
  options?: unknown
  transport?: Transport
  signal?: AbortSignal
  findBrowser?: () => Promise<FoundBrowser | null>
  /** Told of each read before the next is asked for. */
  onRead?: (read: DayRead) => void
}

/** Reads these dates of a sample site as a job's worker would. */
export async function visitSite(site: Site, given: SiteVisit): Promise<DayRead[]> {
  const signal = given.signal ?? new AbortController().signal
  const guard = createGuard({ allow: [given.host] })
  const politeness = freePass()
  const http = createHttpFetcher({
    guard,
    politeness,
    userAgent,
    signal,
    deadline: () => 60_000,
    maxBytes: 4_000_000,
    pausesMs: { fault: [1, 1], tooMany: [1, 1] },
  })
  const tempDir = mkdtempSync(join(tmpdir(), 'gavel-test-'))
  const browser = createBrowserHost({
    findBrowser: given.findBrowser ?? testBrowser,
    guard,
    politeness,
    userAgent,
    log: createLogger('silent', 'test'),
    signal,
    tempDir,
  })
  const reads: DayRead[] = []
  try {
    const visit = {
      url: new URL(given.url),
      options: given.options ?? {},
      dates: given.dates,
      today: given.today,
      transport: given.transport ?? 'HTTP',
      http,
      browser,
      signal,
      log: () => {},
      stage: async <T>(_name: string, work: () => Promise<T> | T) => work(),
    }
    for await (const read of site.read(visit)) {
      reads.push(read)
      given.onRead?.(read)
    }
    return reads
  } finally {
    await browser.close()
    await http.close()
    rmSync(tempDir, { recursive: true })
  }
}
