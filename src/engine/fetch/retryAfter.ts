/**
 * Seconds to wait by a Retry-After header (RFC 9110, 10.2.3): a whole number of seconds or an HTTP date, a date that
 * has passed being 0. null without the header and for anything else.
 */
export function retryAfterSeconds(header: string | null, now: number): number | null {
  const text = header?.trim() ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text)
  // Date.parse alone would take `-5` and `2` for dates.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text)) return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now) / 1000))
}
