import type { DayRow, RejectedRow } from '../db/saveDay.ts'
import { convertItem } from './convert/convertItem.ts'
import { addressKey, caseKey, parcelKey } from './convert/normalise.ts'
import type { ConvertContext, SiteItem } from './sites/site.ts'

/** The items of a day as rows to save and rows to keep as errors, and the labels nobody knows. */
export function convertDay(
  items: readonly SiteItem[],
  context: ConvertContext,
): { rows: DayRow[]; rejected: RejectedRow[]; unknownLabels: Set<string> } {
  const rows: DayRow[] = []
  const rejected: RejectedRow[] = []
  const unknownLabels = new Set<string>()
  for (const item of items) {
    const { sourceKey, auctionId, url, raw } = item
    const converted = convertItem(item, context)
    for (const label of converted.unknownLabels) unknownLabels.add(label)
    if (converted.kind === 'rejected') {
      rejected.push({ sourceKey, auctionId, field: converted.field, message: converted.message, raw })
      continue
    }
    const { fields } = converted
    const keys = { case: caseKey(fields), parcel: parcelKey(fields.parcelId), address: addressKey(fields) }
    rows.push({ sourceKey, auctionId, url, fields, raw, keys })
  }
  return { rows, rejected, unknownLabels }
}
