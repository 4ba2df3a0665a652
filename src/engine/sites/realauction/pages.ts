import { load } from 'cheerio/slim'
import { ScrapeError } from '../../errors.ts'
import { recogniseRefusal } from '../answers.ts'
import { textOf } from '../text.ts'

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
  return recogniseRefusal(html)
}
