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
