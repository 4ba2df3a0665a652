import { tmpdir } from 'node:os'
import type { Config } from '../../config.ts'
import type { LogEntry } from '../../db/changeJob.ts'
import type { SitePlatform } from '../../domain.ts'
import type { Logger } from '../../log.ts'
import { createBrowserHost } from './browser.ts'
import type { BrowserHost, HttpFetcher } from './fetcher.ts'
import { findBrowser } from './findBrowser.ts'
import { createGuard } from './guard.ts'
import { createHttpFetcher } from './http.ts'
import { createPoliteness } from './politeness.ts'
import { userAgent } from './userAgent.ts'

export interface Fetchers {
  http: HttpFetcher
  browser: BrowserHost
  /** Ends the connections and the browser, and gives back what politeness holds. */
  close(): Promise<void>
}

/** HTTP and the browser of one attempt, behind one guard and one politeness. Nothing is opened before it is used. */
export function openFetchers(run: {
  config: Config
  databaseUrl: string
  platform: SitePlatform
  /** Epoch milliseconds at which the attempt is ended. */
  deadline: number
  signal: AbortSignal
  log: Logger
  progress: { log(line: LogEntry): void }
}): Fetchers {
  const { config, signal, log } = run
  const guard = createGuard({ allow: config.allowPrivateHosts })
  const politeness = createPoliteness({
    databaseUrl: run.databaseUrl,
    limits: config.politeness,
    platform: run.platform,
  })
  const http = createHttpFetcher({
    guard,
    politeness,
    userAgent,
    signal,
    deadline: () => run.deadline - Date.now(),
    onWait: ({ url, seconds, reason }) =>
      run.progress.log({ level: 'WARN', message: `waiting ${seconds} s: ${reason}`, data: { url, seconds } }),
  })
  const browser = createBrowserHost({
    findBrowser: async () => await findBrowser({ given: config.browserPath, log, install: true }),
    guard,
    politeness,
    userAgent,
    log,
    signal,
    tempDir: tmpdir(),
  })
  return {
    http,
    browser,
    async close() {
      await browser.close()
      await http.close()
      await politeness.close()
    },
  }
}
