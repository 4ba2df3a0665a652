import type { BrowserContext } from 'playwright'
import type { ScrapeError } from '../errors.ts'

/**
 * How sites reach the network: plain HTTP and a browser, both behind the same guard (public addresses only, every
 * redirect checked, caps on bytes and time, politeness, our user agent).
 */
export interface HttpFetcher {
  /** A session with a cookie jar of its own. */
  session(options?: SessionOptions): HttpSession
}

export interface SessionOptions {
  /** Told of each redirect before it is followed; what it throws ends the request. */
  onRedirect?: (to: URL) => void
}

export interface HttpSession {
  /**
   * GETs a page, following at most 5 redirects, each guarded anew. Answers whatever status came, except what the
   * policy of errors names: throws ScrapeError CONNECTION, TIMEOUT and HTTP_ERROR (5xx) after a few tries, BLOCKED
   * for a 429 without end, BODY_TOO_LARGE, and INTERNAL for an address that is not allowed. A 429 or 503 with
   * Retry-After is waited for in place while it fits into the attempt's time; else BLOCKED or HTTP_ERROR is thrown
   * with `detail.retryAfterSeconds`.
   */
  get(url: string | URL, options?: { headers?: Record<string, string> }): Promise<FetchedPage>
  /**
   * POSTs a form as a browser does, under the same rules; redirects are followed by GET, and a fault is met by sending
   * it again: for searches, which change nothing.
   */
  post(url: string | URL, form: Readonly<Record<string, string>>): Promise<FetchedPage>
}

export interface FetchedPage {
  status: number
  /** Where the redirects ended. */
  url: URL
  headers: Record<string, string>
  /** Decoded by the charset of the content type, UTF-8 unless told. */
  text: string
  /** Seconds of a Retry-After header, null without one. */
  retryAfterSeconds: number | null
}

export interface BrowserHost {
  /**
   * A fresh, empty context (images, fonts and media blocked; traffic through the guarded proxy). The browser starts on
   * the first call and lives until the job ends. The caller closes the context. Throws ScrapeError NO_BROWSER.
   */
  context(): Promise<BrowserContext>
  /**
   * What the guarded proxy refused or failed last, since this was last asked; null where it did not. A browser itself
   * only tells that a page did not come.
   */
  takeFault(): Promise<ScrapeError | null>
}
