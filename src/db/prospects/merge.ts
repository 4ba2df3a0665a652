import type { KnownListing, ProspectValues } from './values.ts'

/** What decides the age of a listing; ties are broken so that every reader sees one order. */
type Aged = Pick<KnownListing, 'firstSeenAt' | 'siteKey' | 'sourceKey'>

/**
 * What a prospect's open listings make of it: the oldest sets the fields, the others only fill its nulls, so that
 * two sites never write against each other. Fields that explain each other come from one listing: a sale's amount
 * and buyer from the one that says it is sold, a time from one that names the same date.
 */
export function mergeListings(listings: readonly (Aged & { values: ProspectValues })[]): ProspectValues {
  const values = listings.toSorted(byAge).map((listing) => listing.values)
  const oldest = values[0]
  if (!oldest) throw new Error('a prospect without an open listing has nothing to be merged from')
  const merged = { ...oldest }
  const take = (group: Group, from: readonly ProspectValues[]) => {
    const source = from.find((one) => (one[group[0]] ?? null) !== null) ?? oldest
    for (const field of group) Object.assign(merged, { [field]: source[field] ?? null })
  }
  for (const group of groups) take(group, values)
  take(
    timeGroup,
    values.filter((one) => one.auctionDate === merged.auctionDate),
  )
  return merged
}

export function byAge(a: Aged, b: Aged): number {
  return (
    a.firstSeenAt.getTime() - b.firstSeenAt.getTime() ||
    compare(a.siteKey, b.siteKey) ||
    compare(a.sourceKey, b.sourceKey)
  )
}

/** Fields that are taken together from the first listing that has the leading one. */
type Group = readonly [keyof ProspectValues, ...(keyof ProspectValues)[]]

const groups: readonly Group[] = [
  ['caseNumber', 'caseSuffix', 'caseKey'],
  ['auctionDate'],
  ['auctionStatus', 'auctionStatusText', 'saleAmount', 'soldAt', 'soldTo', 'buyerType'],
  ['auctionType', 'auctionTypeText'],
  ['propertyAddress', 'addressKey'],
  ['city'],
  ['stateCode'],
  ['zip'],
  ['parcelId', 'parcelKey'],
  ['legalDescription'],
  ['finalJudgmentAmount'],
  ['plaintiffMaxBid'],
  ['assessedValue', 'assessedValueLabel'],
  ['openingBid'],
  ['depositAmount'],
  ['plaintiff'],
  ['defendant'],
  ['attorney'],
  ['certificateNumber'],
  ['saleNumber'],
  ['auctionId'],
  ['caseUrl'],
  ['parcelUrl'],
  ['sourceUrl', 'rawData'],
]
const timeGroup: Group = ['timeText', 'startsAt']

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
