import type { SitePlatform } from '../../domain.ts'
import type { DayRow } from './dayRow.ts'
import type { KnownListing, KnownProspect } from './values.ts'

export interface IdentityInput {
  platform: SitePlatform
  siteKey: string
  countyFips: string
  rows: readonly DayRow[]
  /** Source keys of rows that were read and not converted. */
  rejectedKeys: readonly string[]
  prospects: readonly KnownProspect[]
  listings: readonly KnownListing[]
  newId: () => string
}

/** Which prospect a row is of; `listing` is null where the site has shown it under this source key for the first time. */
export interface Binding {
  row: DayRow
  prospectId: string
  isNew: boolean
  listing: KnownListing | null
}

/**
 * Which prospect each row of a read is of, in the rows' order, and the listings that this closes.
 *
 * 1. A known source key: its prospect, whatever changed. A RealAuction aid that shows another case is a reused one:
 *    its listing is closed and the row goes on.
 * 2. Adoption, where exactly one prospect is the same property at the same sale and no listing of this read is of
 *    it. An older listing of this site there, which this read does not show, is closed: the site gave it a new key.
 * 3. A new prospect.
 *
 * Rows look for a prospect in the order of their source keys, so the order of a page decides nothing.
 * Throws when two rows have one source key.
 */
export function bindRows(input: IdentityInput): { bindings: Binding[]; closed: KnownListing[] } {
  const ofSite = input.listings.filter((one) => one.siteKey === input.siteKey && !one.closed)
  const open = new Map(ofSite.map((one) => [one.sourceKey, one]))
  const openByProspect = Map.groupBy(ofSite, (one) => one.prospectId)
  const inRead = new Set<string>()
  const bindings = new Map<string, Binding>()
  const closed = new Set<KnownListing>()
  for (const key of input.rejectedKeys) {
    const listing = open.get(key)
    if (listing) inRead.add(listing.prospectId)
  }
  const unbound: DayRow[] = []
  for (const row of input.rows) {
    const listing = open.get(row.sourceKey)
    if (listing && !isReused(listing, row, input.platform)) {
      inRead.add(listing.prospectId)
      bindings.set(row.sourceKey, { row, prospectId: listing.prospectId, isNew: false, listing })
      continue
    }
    if (listing) closed.add(listing)
    unbound.push(row)
  }
  const bySale = Map.groupBy(
    input.prospects.filter((one) => one.countyFips === input.countyFips),
    (one) => saleKey(one.auctionType, one.caseKey, one.auctionDate),
  )
  for (const row of unbound.toSorted(bySourceKey)) {
    const same = (bySale.get(saleKey(row.fields.auctionType, row.keys.case, row.fields.auctionDate)) ?? []).filter(
      (one) => !inRead.has(one.id) && isSameProperty(row, one),
    )
    const adopted = same.length === 1 ? same[0] : undefined
    const prospectId = adopted?.id ?? input.newId()
    inRead.add(prospectId)
    bindings.set(row.sourceKey, { row, prospectId, isNew: !adopted, listing: null })
    for (const older of openByProspect.get(prospectId) ?? []) closed.add(older)
  }
  return { bindings: inOrder(input.rows, bindings), closed: [...closed] }
}

function isReused(listing: KnownListing, row: DayRow, platform: SitePlatform): boolean {
  const before = listing.values.caseKey
  return platform === 'REALAUCTION' && before !== null && row.keys.case !== null && before !== row.keys.case
}

/** Equal parcels; where one side names no parcel, equal addresses with their unit. */
function isSameProperty({ keys }: DayRow, prospect: KnownProspect): boolean {
  if (keys.parcel !== null && prospect.parcelKey !== null) return keys.parcel === prospect.parcelKey
  return keys.address !== null && keys.address === prospect.addressKey
}

function saleKey(...parts: (string | null)[]): string {
  return JSON.stringify(parts)
}

/** Shorter keys first, so that numbers count up. */
function bySourceKey(a: DayRow, b: DayRow): number {
  return a.sourceKey.length - b.sourceKey.length || (a.sourceKey < b.sourceKey ? -1 : 1)
}

function inOrder(rows: readonly DayRow[], bindings: ReadonlyMap<string, Binding>): Binding[] {
  if (bindings.size !== rows.length) throw new Error('two rows of one read have the same source key')
  return rows.flatMap((row) => bindings.get(row.sourceKey) ?? [])
}
