import { Cron, CronPattern } from 'croner'

/** To the minute: neither seconds nor years. */
const mode = '5-part'

/** Why this is no pattern that ever comes, or null: five fields, or a name such as `@daily`. */
export function cronIssue(pattern: string): string | null {
  try {
    parse(pattern)
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    const why = error.message.replace(/^CronPattern: /, '')
    return `must be five fields, minute to day of the week, such as 0 6 * * MON-FRI: ${why}`
  }
  return nextRun(pattern, 'UTC', new Date()) === null ? 'never comes' : null
}

/**
 * The first instant after `after` that the pattern names in an IANA zone; null when there is none. A time that the
 * clocks skip in spring is taken right after the gap, one that they repeat in autumn once; patterns that run through
 * the hours (`*`, lists, ranges) follow the clock on the wall.
 */
export function nextRun(pattern: string, timezone: string, after: Date): Date | null {
  return new Cron(pattern, { mode, timezone, paused: true }).nextRun(after)
}

/** Throws TypeError or RangeError. `Cron` itself would also take a single date for a pattern. */
function parse(pattern: string): CronPattern {
  return new CronPattern(pattern, 'UTC', { mode })
}
