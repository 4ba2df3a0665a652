import { load } from 'cheerio/slim'
import { ScrapeError } from '../../errors.ts'
import { textOf } from './text.ts'

/**
 * The error a page stands for when it is not a page of auctions at all: SITE_OFFLINE for the vendor's maintenance page
 * (status 200, headed OFFLINE), BLOCKED for a captcha or the notice of a firewall. null for every other page.
 */
export function recognisePage(html: string): ScrapeError | null {
  const $ = load(html)
  const heading = $('#Content_Title h1').get(0)
  if (heading !== undefined && /^offline\b/i.test(textOf(heading))) {
    return new ScrapeError('SITE_OFFLINE', 'the site shows its maintenance page')
  }
  // Every page of the site carries a login form, which may come with a captcha of its own.
  if ($('#Content_Title, .CALBOX, [dayid], .AUCTION_ITEM, [arid]').length > 0) return null
  const words = $('title, h1, h2')
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
