import type { SitePlatform } from '../../domain.ts'
import { ScrapeError } from '../errors.ts'
import { realAuction } from './realauction/site.ts'
import type { Site } from './site.ts'

const sites: Partial<Record<SitePlatform, Site>> = {
  REALAUCTION: realAuction,
}

/** The adapter of a platform. Throws ScrapeError INTERNAL for one that has none. */
export function siteFor(platform: SitePlatform): Site {
  const site = sites[platform]
  if (site === undefined) throw new ScrapeError('INTERNAL', `${platform} sites cannot be read yet`)
  return site
}

/** Whether the platform's sites can be read. */
export function hasSite(platform: SitePlatform): boolean {
  return sites[platform] !== undefined
}
