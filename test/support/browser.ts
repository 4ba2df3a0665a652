import type { FoundBrowser } from '../../src/engine/fetch/browser.ts'
import { findBrowser } from '../../src/engine/fetch/findBrowser.ts'
import { createLogger } from '../../src/log.ts'

/** Fetching one on a machine that has none may take this long: for the beforeAll of tests that need a browser. */
export const browserPatienceMs = 15 * 60_000

/** The machine's browser, installed where there is none. Throws without one: tests are not passed over. */
export async function testBrowser(): Promise<FoundBrowser> {
  const found = await findBrowser({
    given: process.env['GAVEL_BROWSER'] || null,
    log: createLogger('silent', 'test'),
    install: true,
  })
  if (found === null) throw new Error('the tests need a browser, and none can be had: see gavel doctor')
  return found
}
