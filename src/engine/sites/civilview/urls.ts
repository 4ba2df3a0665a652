import { bareHost } from '../pages.ts'

/** The tenant behind a URL: one host serves all counties, told apart by number. */
export const siteKey = (url: URL): string => `${bareHost(url)}?countyId=${countyId(url) ?? ''}`

/** The county's number in a URL; null where it has none. */
export function countyId(url: URL): string | null {
  const [, value = ''] = [...url.searchParams].find(([name]) => /^countyId$/i.test(name)) ?? []
  return /^\d{1,6}$/.test(value) ? value : null
}

/** The county's list of sales to come. Getting it binds the county to the session. */
export const listUrl = (site: URL): URL => new URL(`/Sales/SalesSearch?countyId=${countyId(site) ?? ''}`, site.origin)
