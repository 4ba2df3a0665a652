import { load } from 'cheerio/slim'
import { ScrapeError } from '../errors.ts'
import { textOf } from './text.ts'

/** What came of a request, however it was made. */
export interface SiteAnswer {
  status: number
  url: string
  text: string
  retryAfterSeconds: number | null
}

/**
 * Throws what a status other than success stands for: BLOCKED for 403 and 429, else what the page itself says by
 * `recognise`, or HTTP_ERROR.
 */
export function judgeStatus(
  { status, url, text, retryAfterSeconds }: SiteAnswer,
  recognise: (html: string) => ScrapeError | null = recogniseRefusal,
): void {
  if (status >= 200 && status < 300) return
  const detail = { url, ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }) }
  if (status === 403 || status === 429) throw new ScrapeError('BLOCKED', `the site answers HTTP ${status}`, detail)
  throw recognise(text) ?? new ScrapeError('HTTP_ERROR', `the site answers HTTP ${status}`, detail)
}

/**
 * BLOCKED for a captcha or the notice of a firewall, null for every other page. Pages of a site may carry a captcha of
 * their own, for a login: this is asked of pages on which nothing else was found.
 */
export function recogniseRefusal(html: string): ScrapeError | null {
  const words = load(html)('title, h1, h2')
    .toArray()
    .map(textOf)
    .filter((text) => text !== '')
  const refused =
    words.some((text) => blockNotices.some((notice) => notice.test(text))) || blockMarks.some((mark) => mark.test(html))
  return refused ? new ScrapeError('BLOCKED', `the site refused the request: ${words[0] ?? 'a captcha'}`) : null
}

/** In titles and headings. */
const blockNotices = [
  /access (is )?denied/i,
  /\bforbidden\b/i,
  /request (was )?(rejected|blocked)/i,
  /attention required/i,
  /just a moment/i,
  /captcha/i,
  /human verification|verify (that )?you are (a )?human|are you (a )?(human|robot)/i,
  /pardon our interruption/i,
  /too many requests/i,
]

/** In the markup of captchas and challenges. */
const blockMarks = [
  /g-recaptcha|grecaptcha|hcaptcha|h-captcha|cf-turnstile|cf-challenge|challenge-platform/i,
  /awsWafCookieDomainList|gokuProps|AwsWafIntegration/,
  /_Incapsula_Resource|Incapsula incident/i,
  /the requested url was rejected/i,
]
