import type { SavedListings, SiteItem } from '../site.ts'
import { type ParsedItem, parseItems } from './items.ts'
import { readLoad } from './load.ts'
import { recognisePage } from './pages.ts'

/** The listings of a saved day page, of decoded markup, or of an FNC=LOAD answer. */
export function readSaved(body: string, url: string): SavedListings {
  if (/^[\s\uFEFF]*[{[]/.test(body)) {
    const answer = readLoad(body)
    const found = new Set(answer?.items.map((item) => item.auctionId))
    const missing = answer?.ids.filter((id) => !found.has(id)) ?? []
    return {
      items: (answer?.items ?? []).map((item) => siteItem(item, url)),
      note: missing.length === 0 ? null : `rlist names ${missing.length} more: ${missing.join(', ')}`,
    }
  }
  const items = parseItems(body)
  return {
    items: items.map((item) => siteItem(item, url)),
    note: items.length === 0 ? (recognisePage(body)?.message ?? null) : null,
  }
}

const siteItem = ({ auctionId, fields, status, area }: ParsedItem, url: string): SiteItem => ({
  sourceKey: auctionId,
  auctionId,
  url,
  raw: { fields, status, area },
  auctionDate: null,
  timeText: null,
})
