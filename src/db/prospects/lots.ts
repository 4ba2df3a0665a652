import type { CalendarDate } from '../../domain.ts'

/** A case's sale on one day in one county: what lots are counted in. Nulls are equal. */
export interface LotGroup {
  countyFips: string
  caseKey: string | null
  auctionDate: CalendarDate | null
}

/** A prospect that needs a place: new (`before` null), or moved to another case or date. */
export interface LotRequest extends LotGroup {
  id: string
  before: (LotGroup & { lot: number }) | null
}

/** What is known of the groups that prospects move to. */
export interface LotBook {
  /** Every prospect that holds a lot there. */
  held: readonly (LotGroup & { id: string; lot: number })[]
  /** The highest lot ever used there. */
  highest: readonly (LotGroup & { highest: number })[]
}

/**
 * Gives each request its lot. A prospect that moved keeps its lot unless another holds it there; then it takes the
 * next that was never used, as new ones do. Lots are never renumbered and never given out again.
 * Returns the lots by prospect, and what is now the highest of every group that was asked for.
 */
export function assignLots(
  requests: readonly LotRequest[],
  book: LotBook,
): { lots: Map<string, number>; highest: (LotGroup & { highest: number })[] } {
  const moving = new Set(requests.map((one) => one.id))
  const groups = new Map<string, LotGroup & { highest: number; held: Set<number> }>()
  for (const { countyFips, caseKey, auctionDate } of requests) {
    groups.set(groupKey({ countyFips, caseKey, auctionDate }), {
      countyFips,
      caseKey,
      auctionDate,
      highest: 0,
      held: new Set(),
    })
  }
  for (const one of book.highest) {
    const group = groups.get(groupKey(one))
    if (group) group.highest = one.highest
  }
  for (const one of book.held) {
    const group = groups.get(groupKey(one))
    if (!group) continue
    group.highest = Math.max(group.highest, one.lot)
    if (!moving.has(one.id)) group.held.add(one.lot)
  }
  const lots = new Map<string, number>()
  // The moved first: what they keep is then out of the way of the new.
  const ordered = [...requests.filter((one) => one.before), ...requests.filter((one) => !one.before)]
  for (const request of ordered) {
    const group = groups.get(groupKey(request))
    if (!group) throw new Error('every request has its group')
    const kept = request.before && !group.held.has(request.before.lot) ? request.before.lot : null
    const lot = kept ?? group.highest + 1
    group.held.add(lot)
    group.highest = Math.max(group.highest, lot)
    lots.set(request.id, lot)
  }
  const highest = [...groups.values()].map((one) => ({
    countyFips: one.countyFips,
    caseKey: one.caseKey,
    auctionDate: one.auctionDate,
    highest: one.highest,
  }))
  return { lots, highest }
}

export function groupKey({ countyFips, caseKey, auctionDate }: LotGroup): string {
  return JSON.stringify([countyFips, caseKey, auctionDate])
}
