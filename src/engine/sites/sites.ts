import type { SitePlatform } from '../../domain.ts'
import { civilView } from './civilview/site.ts'
import { htmlTable } from './htmltable/site.ts'
import { realAuction } from './realauction/site.ts'
import type { Platform } from './site.ts'

const platforms: Record<SitePlatform, Platform> = {
  REALAUCTION: realAuction,
  CIVILVIEW: civilView,
  HTML_TABLE: htmlTable,
}

/** The adapter of a platform. */
export const siteFor = (platform: SitePlatform): Platform => platforms[platform]
