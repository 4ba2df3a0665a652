import { describe, expect, it } from 'vitest'
import { addDays, dayIn, daysBetween, isCalendarDate, suggestedRange } from '../../src/engine/suggestedRange.ts'

const today = '2026-03-16'

describe('suggestedRange', () => {
  it('begins with the oldest of the last 14 days that is not final', () => {
    const finalDays = new Set([addDays(today, -14), addDays(today, -13), addDays(today, -11)])
    expect(suggestedRange(today, finalDays)).toEqual({ startDate: '2026-03-04', endDate: '2026-04-15' })
  })

  it('begins today when every one of them is final', () => {
    const finalDays = new Set(daysBetween(addDays(today, -14), addDays(today, -1)))
    expect(suggestedRange(today, finalDays).startDate).toBe(today)
  })

  it('begins 14 days back on a site that was never read', () => {
    expect(suggestedRange(today, new Set()).startDate).toBe('2026-03-02')
  })
})

describe('calendar days', () => {
  it("are those of the site's zone", () => {
    const at = new Date('2026-03-17T03:30:00Z')
    expect(dayIn('America/New_York', at)).toBe('2026-03-16')
    expect(dayIn('UTC', at)).toBe('2026-03-17')
  })

  it('do not shift where the clocks do', () => {
    expect(daysBetween('2026-03-07', '2026-03-09')).toEqual(['2026-03-07', '2026-03-08', '2026-03-09'])
    expect(daysBetween('2026-03-09', '2026-03-08')).toEqual([])
    expect(daysBetween('9999-12-31', '9999-12-31')).toEqual(['9999-12-31'])
  })

  it.each([
    ['2028-02-29', true],
    ['2026-02-29', false],
    ['2026-3-1', false],
    ['2026-03-01T00:00', false],
  ])('%s: %s', (text, is) => {
    expect(isCalendarDate(text)).toBe(is)
  })
})
