import type { IncomingMessage } from 'node:http'
import type { CalendarDate } from '../../domain.ts'
import { fromSlashes, monthAsked } from './dates.ts'
import type { Session, Sessions } from './sessions.ts'
import type { Area, RequestKind } from './types.ts'

/** A request, understood. Names and values of its parameters are read without case, as the real site does. */
export interface Asked {
  method: string
  path: string
  kind: RequestKind
  query: Readonly<Record<string, string>>
  /** PREVIEW: of the url. LOAD, UPDATE: of the session. CALENDAR: the first of the month. */
  date: CalendarDate | null
  /** LOAD only. */
  area: Area | null
  /** LOAD only: the page that is to be answered, from 1, before it is checked against the number of pages. */
  page: number | null
  session: Session | null
  userAgent: string
}

export function readRequest(incoming: IncomingMessage, sessions: Sessions, today: CalendarDate): Asked {
  const url = new URL(incoming.url ?? '/', 'http://sample.invalid')
  const query: Record<string, string> = {}
  for (const [name, value] of url.searchParams) query[name.toLowerCase()] ??= value
  const kind = kindOf(url.pathname, query)
  const session = sessions.find(incoming.headers.cookie)
  const area = kind === 'LOAD' ? readArea(query['area']) : null
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    kind,
    query,
    date: dateOf(kind, query, session, today),
    area,
    page: area && pageOf(query, session?.pages[area] ?? 1),
    session,
    userAgent: incoming.headers['user-agent'] ?? '',
  }
}

function kindOf(path: string, query: Readonly<Record<string, string>>): RequestKind {
  if (/^\/core\//i.test(path)) return 'ASSET'
  if (!/^\/(index\.cfm)?$/i.test(path)) return 'OTHER'
  const call = [query['zaction'], query['zmethod'], query['fnc'] ?? ''].join(' ').toUpperCase().trim()
  return calls[call] ?? 'OTHER'
}

const calls: Readonly<Record<string, RequestKind>> = {
  'USER CALENDAR': 'CALENDAR',
  'AUCTION PREVIEW': 'PREVIEW',
  'AUCTION UPDATE LOAD': 'LOAD',
  'AUCTION UPDATE UPDATE': 'UPDATE',
}

function dateOf(
  kind: RequestKind,
  query: Readonly<Record<string, string>>,
  session: Session | null,
  today: CalendarDate,
): CalendarDate | null {
  if (kind === 'CALENDAR') return monthAsked(query['selcaldate'], today)
  if (kind === 'PREVIEW') return fromSlashes(query['auctiondate'] ?? '') ?? today
  return kind === 'LOAD' || kind === 'UPDATE' ? (session?.date ?? null) : null
}

function readArea(value: string | undefined): Area | null {
  const area = value?.toUpperCase()
  return area === 'W' || area === 'R' || area === 'C' ? area : null
}

/** `bypassPage` names a page; else `PageDir` 1 or -1 turns from the one the session is at. */
function pageOf(query: Readonly<Record<string, string>>, current: number): number {
  const named = Number(query['bypasspage'])
  if (Number.isInteger(named) && named > 0) return named
  const turn = Number(query['pagedir'] ?? '0')
  return Math.max(1, current + (turn === 1 || turn === -1 ? turn : 0))
}
