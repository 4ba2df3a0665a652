import { describe, expect, test } from 'vitest'
import type { CalendarCell } from '../../../../src/engine/sites/realauction/calendar.ts'
import { type Evidence, judgeDay, wantsAnotherSession } from '../../../../src/engine/sites/realauction/completeness.ts'
import type { ReadItem, SessionRead } from '../../../../src/engine/sites/realauction/dayReader.ts'
import type { Area } from '../../../../src/engine/sites/realauction/items.ts'

const today = '2026-03-18'
const past = '2026-03-10'
const later = '2026-03-25'

function cellOf(date: string, counts: { sale?: boolean; scheduled?: number | null; waiting?: number | null } = {}) {
  const cell: CalendarCell = { date, sale: true, scheduled: null, waiting: null, timeText: null, typeText: null }
  return { ...cell, ...counts }
}

/** `{ W: '1 2', C: '3' }` */
function read(listed: string | null, seen: Partial<Record<Area, string>> = {}): SessionRead {
  const items = new Map<string, ReadItem>()
  for (const [area, ids] of Object.entries(seen) as [Area, string][]) {
    for (const id of ids.split(' ')) items.set(id, { auctionId: id, fields: [], status: null, area })
  }
  return { listed: listed === null ? null : listed.split(' ').filter((id) => id !== ''), items, pages: 1 }
}

function evidence(date: string, cell: CalendarCell, reads: Evidence['reads'], publishedUntil: string | null = null) {
  return { date, today, cell, publishedUntil, reads }
}

const judged = (...given: Parameters<typeof evidence>) => {
  const all = evidence(...given)
  const verdict = judgeDay(all)
  return { ...verdict, again: wantsAnotherSession(all, verdict) }
}

describe('a day without a sale', () => {
  test.each([
    ['a past day', past, null, 'EMPTY', 'CALENDAR'],
    ['today', today, null, 'EMPTY', 'CALENDAR'],
    ['a later day before a published sale', later, '2026-03-26', 'EMPTY', 'CALENDAR'],
    ['a later day after the last published sale', later, '2026-03-24', 'NOT_PUBLISHED', null],
    ['a later day when nothing is published', later, null, 'NOT_PUBLISHED', null],
  ])('%s (%s, published until %s) is %s', (_, date, publishedUntil, outcome, proof) => {
    const verdict = judged(date, cellOf(date, { sale: false }), [], publishedUntil)
    expect(verdict).toMatchObject({ outcome, proof, expected: null, items: [], pages: 0, error: null, again: false })
  })
})

describe('a sale day', () => {
  test.each<[string, Parameters<typeof evidence>, { outcome: string; proof: string | null; expected: number | null }]>([
    [
      'all listed ids, with the scheduled count',
      [past, cellOf(past, { scheduled: 3 }), [read('1 2 3', { W: '1', C: '2 3' })]],
      { outcome: 'COMPLETE', proof: 'ID_LIST', expected: 3 },
    ],
    [
      'more than is listed',
      [past, cellOf(past, { scheduled: 2 }), [read('1 2', { C: '1 2 3' })]],
      { outcome: 'COMPLETE', proof: 'ID_LIST', expected: 2 },
    ],
    [
      'all listed ids, and the calendar names no count',
      [past, cellOf(past), [read('1 2', { C: '1 2' })]],
      { outcome: 'COMPLETE', proof: 'ID_LIST', expected: 2 },
    ],
    [
      'no id list, and the scheduled count',
      [past, cellOf(past, { scheduled: 2 }), [read(null, { C: '1 2' })]],
      { outcome: 'COMPLETE', proof: 'COUNT', expected: 2 },
    ],
    [
      'an empty id list, and the scheduled count',
      [past, cellOf(past, { scheduled: 2 }), [read('', { C: '1 2' })]],
      { outcome: 'COMPLETE', proof: 'COUNT', expected: 2 },
    ],
    [
      'nothing, where the calendar counts nothing',
      [past, cellOf(past, { scheduled: 0 }), [read('')]],
      { outcome: 'COMPLETE', proof: 'COUNT', expected: 0 },
    ],
    [
      'no figure at all',
      [past, cellOf(past), [read(null, { C: '1 2' })]],
      { outcome: 'INCOMPLETE', proof: null, expected: null },
    ],
    [
      'an empty id list and no count',
      [past, cellOf(past), [read('')]],
      { outcome: 'INCOMPLETE', proof: null, expected: null },
    ],
    [
      'a listed id is missing, though the count is reached',
      [past, cellOf(past, { scheduled: 2 }), [read('1 2', { C: '1 3' })]],
      { outcome: 'INCOMPLETE', proof: null, expected: 2 },
    ],
    [
      'all listed ids, fewer than scheduled',
      [past, cellOf(past, { scheduled: 3 }), [read('1 2', { C: '1 2' })]],
      { outcome: 'INCOMPLETE', proof: null, expected: 2 },
    ],
    [
      'fewer than scheduled, no id list',
      [past, cellOf(past, { scheduled: 3 }), [read(null, { C: '1 2' })]],
      { outcome: 'INCOMPLETE', proof: null, expected: 3 },
    ],
    [
      'before the sale day, fewer waiting than the calendar says',
      [later, cellOf(later, { scheduled: 2, waiting: 2 }), [read('1 2', { W: '1', C: '2' })]],
      { outcome: 'INCOMPLETE', proof: null, expected: 2 },
    ],
    [
      'before the sale day, as many waiting as the calendar says',
      [later, cellOf(later, { scheduled: 2, waiting: 1 }), [read('1 2', { W: '1', C: '2' })]],
      { outcome: 'COMPLETE', proof: 'ID_LIST', expected: 2 },
    ],
    [
      'on the sale day, fewer waiting than the calendar said: they were sold meanwhile',
      [today, cellOf(today, { scheduled: 2, waiting: 2 }), [read('1 2', { R: '1', C: '2' })]],
      { outcome: 'COMPLETE', proof: 'ID_LIST', expected: 2 },
    ],
  ])('%s', (_, given, expected) => {
    const verdict = judged(...given)
    expect(verdict).toMatchObject(expected)
    expect(verdict.error === null).toBe(expected.outcome === 'COMPLETE')
    expect(verdict.again).toBe(expected.outcome === 'INCOMPLETE')
  })

  test('tells what the site says and what the areas hold', () => {
    const verdict = judged(today, cellOf(today, { scheduled: 4, waiting: 1 }), [
      read('1 2 3 4', { C: '3 4', R: '2', W: '1' }),
    ])
    expect(verdict).toMatchObject({ scheduled: 4, waiting: 1, running: 1, closed: 2, pages: 1 })
    expect(verdict.items.map((item) => item.auctionId)).toEqual(['1', '2', '3', '4'])
  })

  test('names what is missing', () => {
    const { error } = judged(past, cellOf(past, { scheduled: 3 }), [read('1 2 3', { C: '2' })])
    expect(error).toMatchObject({
      code: 'DAY_INCOMPLETE',
      message: '2 of 3 listed auctions were not received: 1, 3',
      detail: { date: past },
    })
  })
})

describe('two sessions', () => {
  test('are united, and the later one says where an item stands', () => {
    const verdict = judged(later, cellOf(later, { scheduled: 3, waiting: 1 }), [
      read('1 2 3', { W: '1 2' }),
      read('1 2 3', { W: '3', C: '2' }),
    ])
    expect(verdict).toMatchObject({ outcome: 'COMPLETE', expected: 3, closed: 1, pages: 2, again: false })
    expect(verdict.items.map((item) => `${item.auctionId}${item.area}`)).toEqual(['1W', '3W', '2C'])
  })

  test('the later id list counts', () => {
    const verdict = judged(past, cellOf(past, { scheduled: 1 }), [read('1 2', { C: '1' }), read('1', { C: '1' })])
    expect(verdict).toMatchObject({ outcome: 'COMPLETE', expected: 1 })
  })

  test('that leave something missing make the day INCOMPLETE for good', () => {
    const verdict = judged(past, cellOf(past, { scheduled: 3 }), [read('1 2 3', { C: '1' }), read('1 2 3', { C: '2' })])
    expect(verdict).toMatchObject({ outcome: 'INCOMPLETE', again: false, error: { code: 'DAY_INCOMPLETE' } })
    expect(verdict.items).toHaveLength(2)
  })

  test('ids listed and areas empty: a cold session, INCOMPLETE', () => {
    const verdict = judged(past, cellOf(past, { scheduled: 2 }), [read('1 2'), read('1 2')])
    expect(verdict).toMatchObject({ outcome: 'INCOMPLETE', error: { code: 'COLD_SESSION' }, again: false })
  })
})

describe('GONE', () => {
  test('is a past day that the calendar counts, without ids and listings in two sessions', () => {
    const cell = cellOf(past, { scheduled: 2, waiting: 0 })
    expect(judged(past, cell, [read('')])).toMatchObject({ outcome: 'INCOMPLETE', again: true })
    expect(judged(past, cell, [read(''), read(null)])).toMatchObject({
      outcome: 'GONE',
      proof: null,
      expected: 2,
      error: null,
      again: false,
    })
  })

  test.each<[string, Parameters<typeof evidence>]>([
    ['today', [today, cellOf(today, { scheduled: 2 }), [read(''), read('')]]],
    ['a later day', [later, cellOf(later, { scheduled: 2 }), [read(''), read('')]]],
    ['a day that is not counted', [past, cellOf(past), [read(''), read('')]]],
    ['ids listed in one session', [past, cellOf(past, { scheduled: 2 }), [read('1 2'), read('')]]],
    ['listings in one session', [past, cellOf(past, { scheduled: 2 }), [read('', { C: '1' }), read('')]]],
    ['a session that stood at another day', [past, cellOf(past, { scheduled: 2 }), [null, read('')]]],
  ])('is not %s', (_, given) => {
    expect(judged(...given)).toMatchObject({ outcome: 'INCOMPLETE', again: false })
  })
})
