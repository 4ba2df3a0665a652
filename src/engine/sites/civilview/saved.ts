import type { RawField } from '../../../domain.ts'
import { parsePrintedDate } from '../../convert/dates.ts'
import { labelField } from '../../convert/labels.ts'
import { normaliseKey } from '../../convert/normalise.ts'
import { ScrapeError } from '../../errors.ts'
import { recogniseRefusal } from '../answers.ts'
import type { SavedListings, SiteItem } from '../site.ts'
import { distinctKeys } from '../sourceKeys.ts'
import { parseDetail, withStatus } from './detail.ts'
import { parseList } from './list.ts'

/** The sale of a saved page in either layout, or the sales of a saved list with what the list says of them. */
export function readSaved(body: string, url: string): SavedListings {
  const detail = parseDetail(body)
  if (detail.fields.length > 0) return { items: [saleItem(withStatus(detail, null), '-', url)], note: null }
  try {
    const { rows } = parseList(body, new URL(url))
    const keys = distinctKeys(rows.map((row) => normaliseKey(row.sheriffNumber) ?? '-'))
    return { items: rows.map((row, i) => saleItem(row.fields, keys[i] as string, url)), note: null }
  } catch (error) {
    if (!(error instanceof ScrapeError) || error.code !== 'TEMPLATE_CHANGED') throw error
    return { items: [], note: recogniseRefusal(body)?.message ?? error.message }
  }
}

function saleItem(fields: RawField[], sourceKey: string, url: string): SiteItem {
  const text = fields.find((field) => labelField(field.label) === 'auctionDate')?.value ?? ''
  const auctionDate = parsePrintedDate(text)?.date ?? null
  return { sourceKey, auctionId: null, url, raw: { fields, status: null, area: null }, auctionDate, timeText: null }
}
