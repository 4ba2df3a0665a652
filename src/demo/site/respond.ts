import type { CalendarDate } from '../../domain.ts'
import { findAsset } from './assets.ts'
import { calendarPage } from './calendarPage.ts'
import { itemsOfPage, pageCount, withFirstWaitingClosed } from './days.ts'
import type { Fault, Met } from './faults.ts'
import { loadAnswer } from './loadAnswer.ts'
import { captchaPage, maintenancePage, splashPage } from './otherPages.ts'
import { previewPage } from './previewPage.ts'
import type { Asked } from './request.ts'
import { bind, cookieLines, type Session, type Sessions } from './sessions.ts'
import { statusAnswer } from './statusAnswer.ts'
import type { SampleDay } from './types.ts'

/** What one site holds while it runs. */
export interface SiteState {
  readonly today: CalendarDate
  readonly pageSize: number
  readonly sessions: Sessions
  /** In order of their dates. */
  days: readonly SampleDay[]
}

export interface Answer {
  status: number
  headers: Record<string, string | string[]>
  body: string | Buffer
  /** The session of this answer, opened by it where the client had none. */
  session: Session | null
}

/** The answer to a request under the faults that meet it. May bind the session, turn its pages and move an item. */
export function respond(asked: Asked, site: SiteState, met: Met): Answer {
  if (!/^Mozilla\/5\.0\b/.test(asked.userAgent)) return plain(403, 'Forbidden')
  const instead = answerInstead(met)
  if (instead) return instead
  if (asked.kind === 'ASSET') return assetAnswer(asked.path)
  if (asked.kind === 'OTHER' && !/^\/(index\.cfm)?$/i.test(asked.path)) return plain(404, 'File not found')
  if (asked.kind === 'LOAD') return html(load(asked, site, met), asked.session)
  if (asked.kind === 'UPDATE') return html(update(asked, site, met), asked.session)
  const session = asked.session ?? site.sessions.open()
  if (asked.kind === 'CALENDAR') {
    return html(calendarPage(asked.date ?? site.today, site.days, !met.get('noCounts')), session)
  }
  return html(asked.kind === 'PREVIEW' ? preview(asked, site, met, session) : splashPage(), session)
}

function preview(asked: Asked, site: SiteState, met: Met, session: Session): string {
  const date = asked.date ?? site.today
  bind(session, date)
  const ids = met.get('goneDay') ? [] : (dayOf(site, date)?.items ?? []).map((item) => item.aid)
  return previewPage(date, site.days, site.today, met.get('noIdList') ? null : ids)
}

/** A session that has read no day page gets the empty answer, and so does a request without a known area. */
function load(asked: Asked, site: SiteState, met: Met): string {
  const { session, area, date } = asked
  if (!session || !area || date === null) return loadAnswer([])
  const day = dayOf(site, shownDate(date, site, met.get('wrongDate')))
  const page = Math.min(asked.page ?? 1, pageCount(day, area, site.pageSize))
  session.pages[area] = page
  const items = itemsOfPage(day, area, met.get('repeatPage') ? 1 : page, site.pageSize)
  const short = met.get('shortPage')
  if (met.get('moveItem')) site.days = withFirstWaitingClosed(site.days, date)
  if (met.get('coldSession') || met.get('goneDay')) return loadAnswer([])
  const changed = met.get('templateChanged')
  return loadAnswer(items.slice(0, short && -(short.drop ?? 1)), changed && (changed.how ?? 'token'))
}

function update(asked: Asked, site: SiteState, met: Met): string {
  const shown = asked.date === null ? undefined : dayOf(site, shownDate(asked.date, site, met.get('wrongDate')))
  return statusAnswer(met.get('goneDay') ? undefined : shown, asked.query['ref'] ?? '', site.pageSize)
}

const dayOf = (site: SiteState, date: CalendarDate): SampleDay | undefined => site.days.find((day) => day.date === date)

function shownDate(
  date: CalendarDate,
  site: SiteState,
  wrong: Extract<Fault, { kind: 'wrongDate' }> | undefined,
): CalendarDate {
  if (!wrong) return date
  const others = site.days.map((day) => day.date).filter((other) => other !== date)
  return wrong.date ?? others.find((other) => other > date) ?? others.at(-1) ?? date
}

/** Answers that stand in place of what was asked for. */
function answerInstead(met: Met): Answer | null {
  if (met.get('notATenant')) return redirect('http://www.realauction.com/')
  const foreign = met.get('foreignRedirect')
  if (foreign) return redirect(foreign.location ?? 'http://auctions.moved.example/')
  const inward = met.get('privateRedirect')
  if (inward) return redirect(inward.location ?? 'http://10.0.0.1/')
  if (met.get('status403')) return plain(403, 'Forbidden')
  const slow = met.get('status429')
  if (slow) return plain(429, 'Too many requests', retryAfter(slow.retryAfterSeconds))
  const busy = met.get('status503')
  if (busy) return plain(503, 'Service unavailable', retryAfter(busy.retryAfterSeconds))
  if (met.get('status500')) return plain(500, 'Error Occurred While Processing Request')
  if (met.get('maintenance')) return html(maintenancePage(), null)
  return met.get('captcha') ? html(captchaPage(), null) : null
}

const retryAfter = (seconds: number | null = 1): Record<string, string> =>
  seconds === null ? {} : { 'retry-after': String(seconds) }

function html(body: string, session: Session | null): Answer {
  const cookies = session ? { 'set-cookie': cookieLines(session) } : {}
  return { status: 200, headers: { 'content-type': 'text/html;charset=UTF-8', ...cookies }, body, session }
}

const plain = (status: number, text: string, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'text/html', ...headers },
  body: `<html><head><title>${text}</title></head><body><h1>${text}</h1></body></html>`,
  session: null,
})

const redirect = (location: string): Answer => ({
  status: 302,
  headers: { 'content-type': 'text/html; charset=UTF-8', location },
  body: `<head><title>Document Moved</title></head>\n<body><h1>Object Moved</h1>This document may be found <a HREF="${location}">here</a></body>`,
  session: null,
})

function assetAnswer(path: string): Answer {
  const asset = findAsset(path)
  if (!asset) return plain(404, 'File not found')
  return { status: 200, headers: { 'content-type': asset.contentType }, body: asset.body, session: null }
}
