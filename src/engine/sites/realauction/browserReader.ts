import type { BrowserContext, Page, Request, Response } from 'playwright'
import type { RawStatus } from '../../../domain.ts'
import { ScrapeError } from '../../errors.ts'
import { retryAfterSeconds } from '../../fetch/retryAfter.ts'
import { explainFault, watchForCuts } from '../browserFault.ts'
import type { Visit } from '../site.ts'
import { judgeRedirect, judgeStatus } from './answers.ts'
import { parseCalendar } from './calendar.ts'
import { Collector } from './collect.ts'
import { areas, type DayReader, type DaySession, idsPerStatusCall, mostPages } from './dayReader.ts'
import { type Area, parseItems } from './items.ts'
import { parseLoad } from './load.ts'
import { parsePreview } from './preview.ts'
import { parseStatus } from './status.ts'
import { calendarUrl, previewUrl, statusUrl } from './urls.ts'

const patienceMs = 30_000
/** How long a pager that does not say how many pages there are may take to turn one. */
const turnMs = 5000

/** Reads the site as a visitor does: the page's own script fetches the areas and turns their pages. */
export function createBrowserReader(visit: Visit): DayReader {
  return {
    async open() {
      const context = await visit.stage('FETCH', () => visit.browser.context())
      try {
        return openSession(visit, context, await context.newPage())
      } catch (error) {
        await context.close()
        throw error
      }
    },
  }
}

function openSession(visit: Visit, context: BrowserContext, page: Page): DaySession {
  const watch = watchTraffic(visit, page)
  const fetched = <T>(work: () => Promise<T>): Promise<T> => visit.stage('FETCH', () => watch.guarded(work))
  const parsed = <T>(work: () => T): Promise<T> => visit.stage('PARSE', work)

  return {
    async readMonth(month) {
      const html = await fetched(() => visitPage(page, calendarUrl(visit.url, month)))
      return parsed(() => parseCalendar(html))
    },
    async readDay(date) {
      const html = await fetched(() => visitPage(page, previewUrl(visit.url, date)))
      const collector = new Collector(date, await parsed(() => parsePreview(html)))
      await fetched(() => areasFilled(page))
      for (const area of areas) {
        for (let turned = 0; turned < mostPages; turned++) {
          const shown = await fetched(() => page.locator(`#Area_${area}`).evaluate((element) => element.outerHTML))
          const added = collector.add(area, await parsed(() => parseItems(shown)))
          if (added === 0 || !(await fetched(() => turnPage(page, area)))) break
        }
      }
      return collector.finish(await readStatuses(collector.ids))
    },
    close: () => context.close(),
  }

  async function readStatuses(ids: string[]): Promise<Map<string, RawStatus>> {
    const statuses = new Map<string, RawStatus>()
    for (let from = 0; from < ids.length; from += idsPerStatusCall) {
      const { pathname, search } = statusUrl(visit.url, ids.slice(from, from + idsPerStatusCall))
      const body = await fetched(() => page.evaluate(async (url) => (await fetch(url)).text(), pathname + search))
      for (const [id, status] of (await parsed(() => parseStatus(body))).items) statuses.set(id, status)
    }
    return statuses
  }
}

async function visitPage(page: Page, url: URL): Promise<string> {
  const response = await page.goto(url.href, { waitUntil: 'domcontentloaded', timeout: patienceMs })
  const html = await page.content()
  if (response !== null) judgeStatus(await statusOf(response, html))
  return html
}

/** Until no area shows that it is loading; then a moment for the pagers, which a status call fills. */
async function areasFilled(page: Page): Promise<void> {
  // Expressions as text: they run in the page.
  await page.waitForFunction(`document.querySelectorAll('[arid] .Loading').length === 0`, undefined, {
    timeout: patienceMs,
  })
  const pagers = page.waitForFunction(
    `[...document.querySelectorAll('[id^="max"][id$="A"]')].every((total) => total.textContent.trim() !== '')`,
    undefined,
    { timeout: turnMs },
  )
  await pagers.catch(ignoreTimeout)
}

/** Turns to the area's next page by its own pager; false when there is none. */
async function turnPage(page: Page, area: Area): Promise<boolean> {
  const right = page.locator(`.Head_${area} .PageRight`).first()
  const current = page.locator(`#curP${area}A`)
  if ((await right.count()) === 0 || (await current.count()) === 0) return false
  const before = await current.getAttribute('curPG')
  const total = Number(await page.locator(`#max${area}A`).textContent())
  if (total > 0 && Number(before) >= total) return false
  await right.dispatchEvent('click')
  return page
    .waitForFunction(
      `document.getElementById('curP${area}A').getAttribute('curPG') !== ${JSON.stringify(before)}`,
      undefined,
      { timeout: total > 0 ? patienceMs : turnMs },
    )
    .then(() => true)
    .catch(total > 0 ? rethrow : ignoreTimeout)
}

/**
 * Judges what the page itself fetches, by the rules of plain HTTP: its script hides refusals, and a page it cannot
 * read leaves its areas loading for ever. The first fault ends what is being waited for.
 */
function watchTraffic(visit: Visit, page: Page): { guarded<T>(work: () => Promise<T>): Promise<T> } {
  const fault = Promise.withResolvers<never>()
  // Waited for only while something else is.
  fault.promise.catch(() => undefined)

  page.on('request', (request: Request) => {
    if (!request.isNavigationRequest() || request.redirectedFrom() === null) return
    try {
      judgeRedirect(visit.url, new URL(request.url()))
    } catch (error) {
      fault.reject(error)
    }
  })
  page.on('response', (response: Response) => {
    const call = callOf(response.url())
    if (call === undefined || [301, 302, 303, 307, 308].includes(response.status())) return
    judgeAnswer(response, call === 'LOAD' ? parseLoad : parseStatus).catch((error: unknown) => {
      // A body that is not there any more was not needed.
      if (error instanceof ScrapeError) fault.reject(error)
    })
  })

  page.on('requestfailed', (request: Request) => {
    const why = request.failure()?.errorText ?? 'no answer'
    // What the page itself gives up, by leaving for another, is nothing that failed.
    if (callOf(request.url()) === undefined || why === 'net::ERR_ABORTED') return
    const url = request.url()
    void visit.browser
      .takeFault()
      .then((told) => fault.reject(told ?? new ScrapeError('CONNECTION', `no answer of ${url}: ${why}`, { url })))
  })

  watchForCuts(visit, page, (error) => fault.reject(error))

  return {
    async guarded(work) {
      const done = work()
      done.catch(() => undefined)
      try {
        return await Promise.race([done, fault.promise])
      } catch (error) {
        throw await explained(visit, error, fault.promise)
      }
    },
  }
}

/** Which of the two calls of the page's script this is. */
const callOf = (url: string): string | undefined => /[?&]FNC=(LOAD|UPDATE)\b/i.exec(url)?.[1]?.toUpperCase()

async function judgeAnswer(response: Response, parse: (body: string) => unknown): Promise<void> {
  const body = await response.text()
  judgeStatus(await statusOf(response, body))
  parse(body)
}

async function statusOf(response: Response, text: string): Promise<Parameters<typeof judgeStatus>[0]> {
  const header = await response.headerValue('retry-after')
  return {
    status: response.status(),
    url: response.url(),
    text,
    retryAfterSeconds: retryAfterSeconds(header, Date.now()),
  }
}

/** What a failure of the browser was: a fault that was seen, or one of the proxy's, or a time-out. */
async function explained(visit: Visit, error: unknown, seen: Promise<never>): Promise<unknown> {
  visit.signal.throwIfAborted()
  if (error instanceof ScrapeError || !(error instanceof Error)) return error
  const told = await Promise.race([seen.catch((fault: unknown) => fault), Promise.resolve(null)])
  return told ?? (await explainFault(visit, error))
}

function ignoreTimeout(error: unknown): false {
  if (error instanceof Error && error.name === 'TimeoutError') return false
  throw error
}

function rethrow(error: unknown): never {
  throw error
}
