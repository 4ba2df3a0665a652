import { ScrapeError } from '../../errors.ts'
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
export function judgeStatus(answer: {
  status: number
  url: string
  text: string
  retryAfterSeconds: number | null
}): void {
  const { status, url, text, retryAfterSeconds } = answer
  if (status >= 200 && status < 300) return
  const detail = { url, ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }) }
  if (status === 403 || status === 429) throw new ScrapeError('BLOCKED', `the site answers HTTP ${status}`, detail)
  throw recognisePage(text) ?? new ScrapeError('HTTP_ERROR', `the site answers HTTP ${status}`, detail)
}
