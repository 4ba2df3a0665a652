import type { CalendarDate } from '../../domain.ts'
import { type Binding, bindRows, type IdentityInput } from './identity.ts'
import type { LotRequest } from './lots.ts'
import { groupKey } from './lots.ts'
import { mergeListings } from './merge.ts'
import type { KnownListing, KnownProspect, ProspectValues } from './values.ts'

export interface PlanInput extends IdentityInput {
  /** The day whose listings are delisted when this read does not show them; undefined: the read proves nothing. */
  delists: CalendarDate | null | undefined
  /** The instant of the read, given to listings that are first seen. */
  at: Date
}

/** One prospect as it is to stand after the read. */
export interface ProspectWrite {
  id: string
  countyFips: string
  /** null: a new one. */
  before: KnownProspect | null
  values: ProspectValues
  listed: boolean
  /** The read showed it. */
  seen: boolean
}

export interface DayPlan {
  bindings: Binding[]
  writes: ProspectWrite[]
  /** The writes whose place (county, case, date) is new. */
  lotRequests: LotRequest[]
  listings: {
    close: KnownListing[]
    /** Shown by the read and not converted. */
    rejected: KnownListing[]
    delist: KnownListing[]
  }
}

/** What a read makes of all that is known of its day: a pure function, so that it can be tried in any order. */
export function planDay(input: PlanInput): DayPlan {
  const { bindings, closed } = bindRows(input)
  const open = input.listings.filter((one) => !one.closed && !closed.includes(one))
  const ofSite = open.filter((one) => one.siteKey === input.siteKey)
  const seenKeys = new Set([...input.rows.map((row) => row.sourceKey), ...input.rejectedKeys])
  const rejected = ofSite.filter((one) => input.rejectedKeys.includes(one.sourceKey))
  const delist = ofSite.filter(
    (one) => one.auctionDate === input.delists && !one.delisted && !seenKeys.has(one.sourceKey),
  )
  const after = Map.groupBy(listingsAfter(input, open, bindings, rejected, delist), (one) => one.prospectId)

  const known = new Map(input.prospects.map((one) => [one.id, one]))
  const seen = new Set([...bindings, ...rejected].map((one) => one.prospectId))
  // Where a listing was read or closed, the fields are made anew; delisting alone touches no field.
  const remade = new Set([...bindings, ...closed].map((one) => one.prospectId))
  const gone = orphans(input, after)
  const affected = new Set([...remade, ...seen, ...delist.map((one) => one.prospectId), ...gone])

  const writes: ProspectWrite[] = []
  for (const id of affected) {
    const before = known.get(id) ?? null
    const listings = after.get(id) ?? []
    const values = listings.length > 0 && (!before || remade.has(id)) ? mergeListings(listings) : before
    if (!values) throw new Error(`prospect ${id} has listings and is not known`)
    writes.push({
      id,
      countyFips: before?.countyFips ?? input.countyFips,
      before,
      values,
      listed: listings.length > 0 ? listings.some((one) => !one.delisted) : before?.listed === true && !gone.has(id),
      seen: seen.has(id),
    })
  }
  return { bindings, writes, lotRequests: writes.flatMap(lotRequest), listings: { close: closed, rejected, delist } }
}

type ListingAfter = Pick<KnownListing, 'prospectId' | 'siteKey' | 'sourceKey' | 'firstSeenAt' | 'delisted' | 'values'>

/** The open listings as the read leaves them. */
function listingsAfter(
  input: PlanInput,
  open: readonly KnownListing[],
  bindings: readonly Binding[],
  rejected: readonly KnownListing[],
  delist: readonly KnownListing[],
): ListingAfter[] {
  const rows = new Map(bindings.map((one) => [one.listing, one.row]))
  const kept = open.map((listing) => {
    const row = rows.get(listing)
    if (row) return { ...listing, values: rowValues(row), delisted: false }
    if (rejected.includes(listing)) return { ...listing, delisted: false }
    return delist.includes(listing) ? { ...listing, delisted: true } : listing
  })
  const added = bindings
    .filter((one) => !one.listing)
    .map(({ row, prospectId }) => ({
      prospectId,
      siteKey: input.siteKey,
      sourceKey: row.sourceKey,
      firstSeenAt: input.at,
      delisted: false,
      values: rowValues(row),
    }))
  return [...kept, ...added]
}

export function rowValues({ fields, keys, raw }: Binding['row']): ProspectValues {
  return { ...fields, caseKey: keys.case, parcelKey: keys.parcel, addressKey: keys.address, rawData: raw }
}

/** Prospects of the day whose source key this site has given away: no open listing is left that could be delisted. */
function orphans(input: PlanInput, after: ReadonlyMap<string, ListingAfter[]>): Set<string> {
  if (input.delists === undefined) return new Set()
  const onceHere = new Set(input.listings.filter((one) => one.siteKey === input.siteKey).map((one) => one.prospectId))
  return new Set(
    input.prospects
      .filter((one) => one.listed && one.auctionDate === input.delists && onceHere.has(one.id) && !after.has(one.id))
      .map((one) => one.id),
  )
}

function lotRequest({ id, countyFips, before, values: { caseKey, auctionDate } }: ProspectWrite): LotRequest[] {
  const place = { countyFips, caseKey, auctionDate }
  return before && groupKey(before) === groupKey(place) ? [] : [{ ...place, id, before }]
}
