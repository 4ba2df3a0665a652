import { expect, test } from 'vitest'
import {
  parseDate,
  parseMoment,
  parseNamedDate,
  parsePrintedDate,
  startInstant,
} from '../../../src/engine/convert/dates.ts'
import { ValueError } from '../../../src/engine/convert/values.ts'

test('dates are read as calendar dates, impossible ones not at all', () => {
  expect(parseDate('07/04/2026')).toBe('2026-07-04')
  expect(parseDate('7/4/2026')).toBe('2026-07-04')
  expect(parseDate('02/29/2028')).toBe('2028-02-29')
  for (const text of ['13/45/2026', '02/29/2026', '07/04/26', '', 'soon']) expect(parseDate(text)).toBeNull()
})

test('months in letters are read too', () => {
  expect(parseNamedDate('Thursday June 4, 2026')).toBe('2026-06-04')
  expect(parseNamedDate('March-05-2026')).toBe('2026-03-05')
  expect(parseNamedDate('September 1st, 2026')).toBe('2026-09-01')
  expect(parseNamedDate('February 30, 2026')).toBeNull()
})

test.each([
  ['2026-01-15', '10:00 AM ET', '2026-01-15T15:00:00.000Z'],
  ['2026-07-15', '10:00 AM ET', '2026-07-15T14:00:00.000Z'],
  ['2026-07-15', ' 09:30 am CT', '2026-07-15T14:30:00.000Z'],
  ['2026-01-15', '02:00 PM MT', '2026-01-15T21:00:00.000Z'],
  ['2026-07-15', '12:00 PM PT', '2026-07-15T19:00:00.000Z'],
  ['2026-07-15', '12:00 AM ET', '2026-07-15T04:00:00.000Z'],
  ['2026-03-08', '10:00 AM ET', '2026-03-08T14:00:00.000Z'],
  ['2026-07-15', '10 A.M.', '2026-07-15T15:00:00.000Z'],
  ['2026-07-15', '14:15', '2026-07-15T19:15:00.000Z'],
])('%s %s is %s', (date, time, instant) => {
  expect(startInstant(date, time, 'America/Chicago')).toBe(instant)
})

test('MT is standard time all year in Arizona', () => {
  expect(startInstant('2026-07-15', '10:00 AM MT', 'America/Phoenix')).toBe('2026-07-15T17:00:00.000Z')
  expect(startInstant('2026-07-15', '10:00 AM MT', 'America/Denver')).toBe('2026-07-15T16:00:00.000Z')
})

test('text without a time has no instant, an impossible time is refused', () => {
  expect(startInstant('2026-07-15', 'TBD', 'America/Chicago')).toBeNull()
  expect(startInstant('2026-07-15', 'Session 2', 'America/Chicago')).toBeNull()
  expect(() => startInstant('2026-07-15', '25:99 AM ET', 'America/Chicago')).toThrow(ValueError)
})

test('a moment is a date, and a time if there is one', () => {
  expect(parseMoment('05/01/2026 11:23 AM ET', 'America/Chicago')).toEqual({
    date: '2026-05-01',
    timeText: '11:23 AM ET',
    instant: '2026-05-01T15:23:00.000Z',
  })
  expect(parseMoment('9/1/2026', 'America/Chicago')).toEqual({ date: '2026-09-01', timeText: null, instant: null })
  expect(parseMoment('Redeemed', 'America/Chicago')).toBeNull()
  expect(() => parseMoment('13/45/2026 10:00 AM ET', 'America/Chicago')).toThrow(ValueError)
})

test('a printed date is read in all its ways, with the time behind it', () => {
  const read = (text: string, format?: string) => parsePrintedDate(text, format)
  for (const text of [
    '9/1/2026',
    '09/01/26',
    '2026-09-01',
    '01-SEP-2026',
    '1-Sep-26',
    'September 1st, 2026',
    '1 Sept. 2026',
  ]) {
    expect({ text, read: read(text) }).toEqual({ text, read: { date: '2026-09-01', timeText: null } })
  }
  expect(read('Tuesday, Sep 1, 2026 at 10:00 AM ET')).toEqual({ date: '2026-09-01', timeText: '10:00 AM ET' })
  expect(read('09/14/2026 02:00 PM')).toEqual({ date: '2026-09-14', timeText: '02:00 PM' })
  for (const text of ['', 'TBA', '13/45/2026', '31-FEB-2026', '9/1-2026', '9/1/202', '26-1', 'May']) {
    expect({ text, read: read(text) }).toEqual({ text, read: null })
  }
  expect(read('01.09.2026 14:30', 'dd.MM.yyyy HH:mm')).toEqual({ date: '2026-09-01', timeText: '02:30 PM' })
  expect(read('9/1/2026', 'dd.MM.yyyy')).toBeNull()
})
