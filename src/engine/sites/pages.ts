import type { Page, Request } from 'playwright'
import { ScrapeError } from '../errors.ts'
import { retryAfterSeconds } from '../fetch/retryAfter.ts'
import { judgeStatus } from './answers.ts'
import { explainFault, watchForCuts } from './browserFault.ts'
import type { Visit } from './site.ts'

/** One session with a site: the text of its pages as the site sends them, by whatever transport. */
export interface Pages {
  /**
   * Follows redirects within the site's host; another host is a FOREIGN_REDIRECT. Throws BLOCKED for 403 and 429,
   * HTTP_ERROR for any other status but success, and what the fetcher throws.
   */
  get(url: URL): Promise<SentPage>
  /** Sends a search form, from the page that was got last. */
  post(url: URL, form: Readonly<Record<string, string>>): Promise<SentPage>
  close(): Promise<void>
}

export interface SentPage {
  /** Where the redirects ended. */
  url: URL
  text: string
}

/** Opens a fresh session. Throws NO_BROWSER where the browser is asked for and none is to be had. */
export async function openPages(visit: Visit, transport: 'HTTP' | 'BROWSER'): Promise<Pages> {
  return transport === 'HTTP' ? httpPages(visit) : await browserPages(visit)
}

/** The same host, with or without `www.` */
export const sameHost = (a: URL, b: URL): boolean => bareHost(a) === bareHost(b)

/** The host without `www.`, with the port where that is not the scheme's own. */
export const bareHost = (url: URL): string => url.host.toLowerCase().replace(/^www\./, '')

function judgeRedirect(site: URL, to: URL): void {
  if (sameHost(site, to)) return
  throw new ScrapeError('FOREIGN_REDIRECT', `${site.host} leads to another site, ${to.host}`, { url: site.href })
}

function httpPages(visit: Visit): Pages {
  const session = visit.http.session({ onRedirect: (to) => judgeRedirect(visit.url, to) })
  const judged = async (fetching: ReturnType<typeof session.get>): Promise<SentPage> => {
    const page = await fetching
    judgeStatus({ ...page, url: page.url.href })
    return page
  }
  return {
    get: (url) => visit.stage('FETCH', () => judged(session.get(url))),
    post: (url, form) => visit.stage('FETCH', () => judged(session.post(url, form))),
    close: async () => {},
  }
}

/**
 * What the browser receives, not what scripts make of it: they hide rows behind pagers of their own.
 */
async function browserPages(visit: Visit): Promise<Pages> {
  const context = await visit.stage('FETCH', () => visit.browser.context())
  let page: Page
  try {
    page = await context.newPage()
  } catch (error) {
    await context.close()
    throw error
  }
  const guarded = watchTraffic(visit, page)
  return {
    get: (url) => visit.stage('FETCH', () => guarded(() => visitPage(page, url))),
    post: (url, form) => visit.stage('FETCH', () => guarded(() => sendForm(page, url, form))),
    close: () => context.close(),
  }
}

async function visitPage(page: Page, url: URL): Promise<SentPage> {
  const response = await page.goto(url.href, { waitUntil: 'domcontentloaded' })
  if (response === null) throw new ScrapeError('CONNECTION', 'the browser received no answer', { url: url.href })
  const text = await response.text()
  return judgedPage({
    status: response.status(),
    url: response.url(),
    text,
    retryAfter: await response.headerValue('retry-after'),
  })
}

/** As a script of the page would: with its cookies, and without leaving it. */
async function sendForm(page: Page, url: URL, form: Readonly<Record<string, string>>): Promise<SentPage> {
  const answer = await page.evaluate(
    async ({ href, fields }) => {
      const response = await fetch(href, { method: 'POST', body: new URLSearchParams(fields) })
      const { status, url } = response
      return { status, url, text: await response.text(), retryAfter: response.headers.get('retry-after') }
    },
    { href: url.href, fields: { ...form } },
  )
  return judgedPage(answer)
}

function judgedPage(answer: { status: number; url: string; text: string; retryAfter: string | null }): SentPage {
  judgeStatus({ ...answer, retryAfterSeconds: retryAfterSeconds(answer.retryAfter, Date.now()) })
  return { url: new URL(answer.url), text: answer.text }
}

/** Runs what the browser does, and says what a failure of it was. */
function watchTraffic(visit: Visit, page: Page): <T>(work: () => Promise<T>) => Promise<T> {
  let fault = Promise.withResolvers<never>()
  page.on('request', (request: Request) => {
    if (request.redirectedFrom() === null || request.frame() !== page.mainFrame()) return
    if (!request.isNavigationRequest() && request.resourceType() !== 'fetch') return
    try {
      judgeRedirect(visit.url, new URL(request.url()))
    } catch (error) {
      fault.reject(error)
    }
  })
  watchForCuts(visit, page, (error) => fault.reject(error))
  return async (work) => {
    fault = Promise.withResolvers()
    const done = work()
    // Waited for only while the other is.
    done.catch(() => undefined)
    fault.promise.catch(() => undefined)
    try {
      return await Promise.race([done, fault.promise])
    } catch (error) {
      throw await explainFault(visit, error)
    }
  }
}
