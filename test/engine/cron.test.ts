import { describe, expect, it } from 'vitest'
import { cronIssue, nextRun } from '../../src/engine/cron.ts'

describe('a pattern', () => {
  it.each(['0 6 * * *', '*/5 * * * *', '0 6 * * MON-FRI', '30 2 1,15 * *', '0 6 L * *', '@daily'])(
    'such as %s is taken',
    (pattern) => {
      expect(cronIssue(pattern)).toBeNull()
    },
  )

  it.each([
    ['', 'five fields'],
    ['0 6 * *', 'five fields'],
    ['0 0 6 * * *', 'five fields'],
    ['61 * * * *', '61'],
    ['* * * * FRIDAYS', 'five fields'],
    ['2099-01-01T00:00:00', 'five fields'],
    ['@reboot', 'five fields'],
    ['0 0 31 2 *', 'never comes'],
  ])('such as "%s" is refused', (pattern, reason) => {
    expect(cronIssue(pattern)).toContain(reason)
  })
})

describe('the next run', () => {
  const next = (pattern: string, zone: string, after: string) =>
    nextRun(pattern, zone, new Date(after))?.toISOString().replace(':00.000Z', 'Z')

  it.each([
    ['at six in New York, in winter', '0 6 * * *', 'America/New_York', '2026-01-10T12:00:00Z', '2026-01-11T11:00Z'],
    ['at six in New York, in summer', '0 6 * * *', 'America/New_York', '2026-07-10T12:00:00Z', '2026-07-11T10:00Z'],
    [
      'at six in Phoenix, which has no summer time',
      '0 6 * * *',
      'America/Phoenix',
      '2026-07-10T00:00:00Z',
      '2026-07-10T13:00Z',
    ],
    ['never the instant itself', '0 6 * * *', 'UTC', '2026-01-10T06:00:00Z', '2026-01-11T06:00Z'],
    [
      'at a time that spring skips: after the gap',
      '30 2 * * *',
      'America/New_York',
      '2026-03-08T05:00:00Z',
      '2026-03-08T07:00Z',
    ],
    [
      'at a time that autumn repeats: the first',
      '30 1 * * *',
      'America/New_York',
      '2026-11-01T04:00:00Z',
      '2026-11-01T05:30Z',
    ],
    [
      'after a repeated time: the next day',
      '30 1 * * *',
      'America/New_York',
      '2026-11-01T05:30:00Z',
      '2026-11-02T06:30Z',
    ],
    ['on a 29th of February', '0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', '2028-02-29T00:00Z'],
  ])('is %s', (_what, pattern, zone, after, expected) => {
    expect(next(pattern, zone, after)).toBe(expected)
  })
})
