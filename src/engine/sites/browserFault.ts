import type { Page, Request } from 'playwright'
import { ScrapeError } from '../errors.ts'
import type { Visit } from './site.ts'

/** What a failure of the browser was: the visit's abort, a fault of the guarded proxy's, a time-out, or no connection. */
export async function explainFault(visit: Visit, error: unknown): Promise<unknown> {
  visit.signal.throwIfAborted()
  if (error instanceof ScrapeError || !(error instanceof Error)) return error
  const fault = await visit.browser.takeFault()
  if (fault !== null) return fault
  const url = visit.url.href
  const what = error.message.split('\n')[0]
  if (error.name === 'TimeoutError')
    return new ScrapeError('TIMEOUT', `the page was not ready in time: ${what}`, { url })
  return new ScrapeError('CONNECTION', `the browser could not read the page: ${what}`, { url, cause: error })
}

/**
 * Tells of a page whose body ends before its time: the browser says so by an event alone, and waits on for the rest.
 */
export function watchForCuts(visit: Visit, page: Page, onCut: (error: unknown) => void): void {
  const judge = async (request: Request): Promise<void> => {
    // Without an answer it is the navigation itself that fails.
    if ((await request.response()) === null) return
    onCut(await explainFault(visit, new Error(request.failure()?.errorText ?? 'the page was cut off')))
  }
  page.on('requestfailed', (request) => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) judge(request).catch(onCut)
  })
}
