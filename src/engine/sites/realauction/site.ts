import { DateTime } from 'luxon'
import type { CalendarDate } from '../../../domain.ts'
import { asScrapeError, ScrapeError } from '../../errors.ts'
import type { DayRead, Platform, SiteItem, Visit } from '../site.ts'
import { createBrowserReader } from './browserReader.ts'
import type { CalendarCell, CalendarMonth } from './calendar.ts'
import { type Evidence, judgeDay, type Verdict, wantsAnotherSession } from './completeness.ts'
import type { DayReader, DaySession, SessionRead } from './dayReader.ts'
import { createHttpReader } from './httpReader.ts'
import { readSaved } from './saved.ts'
import { previewUrl, siteKey } from './urls.ts'

/** Counties publish some weeks ahead; a gap in their calendar is looked over no further than this. */
const monthsAhead = 3

/** The county sites of RealAuction: one application under many hosts. */
export const realAuction: Platform = {
  platform: 'REALAUCTION',
  siteKey,
  async *read(visit) {
    const reading: Reading = { visit, months: new Map(), ...readers(visit) }
    for (const date of visit.dates) yield await readDate(reading, date)
  },
  readSaved,
  issuesOf: () => [],
}

/** One visit while it goes on. */
interface Reading {
  visit: Visit
  reader: DayReader
  /** What AUTO may turn to. */
  fallback: DayReader | null
  /** Month pages, by `YYYY-MM`: read once a visit, and again where a day had to be read again. */
  months: Map<string, CalendarMonth>
}

function readers(visit: Visit): Pick<Reading, 'reader' | 'fallback'> {
  if (visit.transport === 'BROWSER') return { reader: createBrowserReader(visit), fallback: null }
  const fallback = visit.transport === 'AUTO' ? createBrowserReader(visit) : null
  return { reader: createHttpReader(visit), fallback }
}

async function readDate(reading: Reading, date: CalendarDate): Promise<DayRead> {
  const read = await readBy(reading, reading.reader, date)
  const { fallback, visit } = reading
  if (fallback === null || !mayHelp(read.error)) return read
  visit.log('WARN', `${date} cannot be read by plain HTTP, trying the browser`, { error: read.error?.message })
  try {
    const again = await readBy(reading, fallback, date)
    // What the browser can read and plain HTTP cannot, it reads from here on.
    if (!mayHelp(again.error)) reading.reader = fallback
    return again
  } catch (error) {
    if (!(error instanceof ScrapeError) || error.code !== 'NO_BROWSER') throw error
    visit.log('WARN', 'there is no browser to read it with', { error: error.message })
    reading.fallback = null
    return read
  }
}

/** A browser may pass where plain HTTP was refused; where the site asked to wait, it is waited. */
const mayHelp = (error: ScrapeError | null): boolean =>
  error !== null &&
  (error.code === 'COLD_SESSION' || (error.code === 'BLOCKED' && error.detail.retryAfterSeconds === undefined))

async function readBy(reading: Reading, reader: DayReader, date: CalendarDate): Promise<DayRead> {
  const { signal } = reading.visit
  signal.throwIfAborted()
  try {
    return dayRead(reading, date, await prove(reading, reader, date))
  } catch (thrown) {
    signal.throwIfAborted()
    const error = asScrapeError(thrown)
    if (error.code === 'NOT_A_TENANT' || error.code === 'NO_BROWSER') throw error
    return failed(date, error)
  }
}

/** Reads the day in one session and, where that does not prove it, once more in a fresh one. */
async function prove(reading: Reading, reader: DayReader, date: CalendarDate): Promise<Evidence & Verdict> {
  const reads: (SessionRead | null)[] = []
  for (;;) {
    const session = lazily(reader)
    try {
      if (reads.length > 0) reading.months.delete(monthOf(date))
      const cell = await readCell(reading, session, date)
      if (cell.sale) reads.push(await readDay(session, date))
      const publishedUntil = cell.sale ? null : await publishedAfter(reading, session, date)
      const evidence = { date, today: reading.visit.today, cell, publishedUntil, reads }
      const verdict = judgeDay(evidence)
      if (!wantsAnotherSession(evidence, verdict)) return { ...evidence, ...verdict }
      reading.visit.log('DEBUG', `${date} is read once more in a fresh session`, { error: verdict.error?.message })
    } finally {
      await session.close()
    }
  }
}

async function readDay(session: DaySession, date: CalendarDate): Promise<SessionRead | null> {
  try {
    return await session.readDay(date)
  } catch (error) {
    if (error instanceof ScrapeError && error.code === 'COLD_SESSION') return null
    throw error
  }
}

async function readCell(reading: Reading, session: DaySession, date: CalendarDate): Promise<CalendarCell> {
  const cell = (await readMonth(reading, session, monthOf(date))).days.get(date)
  if (cell === undefined) throw new ScrapeError('TEMPLATE_CHANGED', `the calendar has no cell for ${date}`, { date })
  return cell
}

async function readMonth(reading: Reading, session: DaySession, month: string): Promise<CalendarMonth> {
  const known = reading.months.get(month)
  if (known !== undefined) return known
  const read = await session.readMonth(month)
  if (read.month !== month) {
    throw new ScrapeError('TEMPLATE_CHANGED', `the calendar shows ${read.month ?? 'no days'} instead of ${month}`)
  }
  reading.months.set(month, read)
  return read
}

/** The last sale day after this future one that its month, or else one of the months after it, has; null: none. */
async function publishedAfter(reading: Reading, session: DaySession, date: CalendarDate): Promise<CalendarDate | null> {
  if (date <= reading.visit.today) return null
  for (let ahead = 0; ahead <= monthsAhead; ahead++) {
    const month = DateTime.fromISO(date, { zone: 'utc' }).plus({ months: ahead }).toFormat('yyyy-MM')
    const { days } = await readMonth(reading, session, month)
    const sale = [...days.values()].findLast((cell) => cell.sale && cell.date > date)
    if (sale !== undefined) return sale.date
  }
  return null
}

/** Opens its session when it is first needed: a month page that is known already needs none. */
function lazily(reader: DayReader): DaySession {
  let opened: Promise<DaySession> | null = null
  const open = () => (opened ??= reader.open())
  return {
    readMonth: async (month) => (await open()).readMonth(month),
    readDay: async (date) => (await open()).readDay(date),
    // What opening threw has been thrown to who opened it.
    close: async () => (await opened?.catch(() => null))?.close(),
  }
}

const monthOf = (date: CalendarDate): string => date.slice(0, 7)

function dayRead({ visit }: Reading, date: CalendarDate, proved: Evidence & Verdict): DayRead {
  const { cell, outcome, proof, expected, scheduled, waiting, running, closed, pages, error } = proved
  const url = previewUrl(visit.url, date).href
  const items = proved.items.map(
    ({ auctionId, fields, status, area }): SiteItem => ({
      sourceKey: auctionId,
      auctionId,
      url,
      raw: { fields, status, area },
      auctionDate: date,
      timeText: cell.timeText,
    }),
  )
  return { date, items, outcome, proof, expected, scheduled, waiting, running, closed, pages, error }
}

function failed(date: CalendarDate, error: ScrapeError): DayRead {
  return {
    date,
    items: [],
    outcome: error.code === 'BLOCKED' ? 'BLOCKED' : 'FAILED',
    proof: null,
    expected: null,
    scheduled: null,
    waiting: null,
    running: null,
    closed: null,
    pages: 0,
    error,
  }
}
