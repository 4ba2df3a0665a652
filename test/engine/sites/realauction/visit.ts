import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SampleSite } from '../../../../src/demo/site/server.ts'
import type { Transport } from '../../../../src/domain.ts'
import { createBrowserHost, type FoundBrowser } from '../../../../src/engine/fetch/browser.ts'
import { createGuard } from '../../../../src/engine/fetch/guard.ts'
import { createHttpFetcher } from '../../../../src/engine/fetch/http.ts'
import { userAgent } from '../../../../src/engine/fetch/userAgent.ts'
import { realAuction } from '../../../../src/engine/sites/realauction/site.ts'
import type { DayRead } from '../../../../src/engine/sites/site.ts'
import { createLogger } from '../../../../src/log.ts'
import { testBrowser } from '../../../support/browser.ts'
import { freePass } from '../../../support/freePass.ts'

export interface VisitOptions {
  transport?: Transport
  today?: string
  signal?: AbortSignal
  findBrowser?: () => Promise<FoundBrowser | null>
  /** Milliseconds left of the attempt. */
  left?: number
  maxBytes?: number
}

/** Reads these dates of a sample site as a job's worker would. */
export async function visitSample(
  site: SampleSite,
  dates: readonly string[],
  options: VisitOptions = {},
): Promise<DayRead[]> {
  const signal = options.signal ?? new AbortController().signal
  const guard = createGuard({ allow: [site.host] })
  const politeness = freePass()
  const http = createHttpFetcher({
    guard,
    politeness,
    userAgent,
    signal,
    deadline: () => options.left ?? 60_000,
    maxBytes: options.maxBytes ?? 4_000_000,
    pausesMs: { fault: [1, 1], tooMany: [1, 1] },
  })
  const tempDir = mkdtempSync(join(tmpdir(), 'gavel-test-'))
  const browser = createBrowserHost({
    findBrowser: options.findBrowser ?? testBrowser,
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
      url: new URL(site.url),
      options: {},
      dates,
      today: options.today ?? '2026-03-18',
      transport: options.transport ?? 'HTTP',
      http,
      browser,
      signal,
      log: () => {},
      stage: async <T>(_name: string, work: () => Promise<T> | T) => work(),
    }
    for await (const read of realAuction.read(visit)) reads.push(read)
    return reads
  } finally {
    await browser.close()
    await http.close()
    rmSync(tempDir, { recursive: true })
  }
}
