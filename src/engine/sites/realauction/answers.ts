import { ScrapeError } from '../../errors.ts'
import { judgeStatus as judgeAnswer, type SiteAnswer } from '../answers.ts'
import { recognisePage } from './pages.ts'
import { siteKey } from './urls.ts'

/**
 * Judges a redirect before it is followed. A host without a tenant sends every path to the vendor's own site
 * (NOT_A_TENANT); any other foreign host is a FOREIGN_REDIRECT. The same tenant with or without `www.`, http or https
 * is no redirect to speak of.
 */
export function judgeRedirect(site: URL, to: URL): void {
  if (siteKey(to) === siteKey(site)) return
  const detail = { url: site.href }
  if (/^(www\.)?realauction\.com$/.test(to.hostname)) {
    throw new ScrapeError('NOT_A_TENANT', `${site.host} is no auction site: it leads to ${to.host}`, detail)
  }
  throw new ScrapeError('FOREIGN_REDIRECT', `${site.host} leads to another site, ${to.host}`, detail)
}

/** Throws what a status other than success stands for: BLOCKED for 403 and 429, else the page's own word or HTTP_ERROR. */
export const judgeStatus = (answer: SiteAnswer): void => judgeAnswer(answer, recognisePage)
