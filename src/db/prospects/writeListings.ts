import { sql } from 'kysely'
import type { Tx } from '../database.ts'
import { toJson } from './json.ts'
import type { DayPlan } from './plan.ts'

/**
 * Writes the listings of a planned day: closes, delists, and stores what the read showed. After the prospects, which
 * they refer to; closing comes first, for a reused source key is stored again.
 */
export async function writeListings(
  trx: Tx,
  plan: Pick<DayPlan, 'bindings' | 'listings'>,
  site: { siteKey: string; scrapeUrlId: string; at: Date },
): Promise<void> {
  const { close, rejected, delist } = plan.listings
  if (close.length + rejected.length + delist.length > 0) {
    await sql`
      update listings set
        closed_at = case when id = any(${ids(close)}::uuid[]) then ${site.at} else closed_at end,
        delisted_at = case when id = any(${ids(delist)}::uuid[]) then ${site.at}
          when id = any(${ids(rejected)}::uuid[]) then null else delisted_at end,
        last_seen_at = case when id = any(${ids(rejected)}::uuid[]) then ${site.at} else last_seen_at end
      where id = any(${ids([...close, ...rejected, ...delist])}::uuid[])`.execute(trx)
  }
  const shown = plan.bindings.map(({ row, prospectId, listing }) => ({
    id: listing?.id ?? null,
    prospectId,
    sourceKey: row.sourceKey,
    url: row.url,
    statusText: row.fields.auctionStatusText,
    fields: row.fields,
    rawData: row.raw,
    caseKey: row.keys.case,
    parcelKey: row.keys.parcel,
    addressKey: row.keys.address,
    auctionDate: row.fields.auctionDate,
  }))
  const known = shown.filter((one) => one.id !== null)
  const first = shown.filter((one) => one.id === null)
  if (known.length > 0) {
    await sql`
      update listings as l set scrape_url_id = ${site.scrapeUrlId}, url = r.url, status_text = r."statusText",
        fields = r.fields, raw_data = r."rawData", case_key = r."caseKey", parcel_key = r."parcelKey",
        address_key = r."addressKey", auction_date = r."auctionDate", last_seen_at = ${site.at}, delisted_at = null
      from jsonb_to_recordset(${toJson(known)}::jsonb) as r (${recordset})
      where l.id = r.id`.execute(trx)
  }
  if (first.length > 0) {
    await sql`
      insert into listings (prospect_id, scrape_url_id, site_key, source_key, url, status_text, fields, raw_data,
        case_key, parcel_key, address_key, auction_date, first_seen_at, last_seen_at)
      select r."prospectId", ${site.scrapeUrlId}, ${site.siteKey}, r."sourceKey", r.url, r."statusText", r.fields,
        r."rawData", r."caseKey", r."parcelKey", r."addressKey", r."auctionDate", ${site.at}, ${site.at}
      from jsonb_to_recordset(${toJson(first)}::jsonb) as r (${recordset})`.execute(trx)
  }
}

const recordset = sql.raw(`id uuid, "prospectId" uuid, "sourceKey" text, url text, "statusText" text, fields jsonb,
  "rawData" jsonb, "caseKey" text, "parcelKey" text, "addressKey" text, "auctionDate" date`)

function ids(listings: readonly { id: string }[]): string[] {
  return listings.map((one) => one.id)
}
