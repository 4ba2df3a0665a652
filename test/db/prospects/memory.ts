import type { DayRow } from '../../../src/db/prospects/dayRow.ts'
import { assignLots, groupKey } from '../../../src/db/prospects/lots.ts'
import { type DayPlan, planDay, rowValues } from '../../../src/db/prospects/plan.ts'
import type { KnownListing, KnownProspect } from '../../../src/db/prospects/values.ts'
import type { CalendarDate, SitePlatform } from '../../../src/domain.ts'

export interface MemoryRead {
  platform: SitePlatform
  siteKey: string
  rows: readonly DayRow[]
  rejectedKeys?: readonly string[]
  /** The day of a proved read; left out: the read proves nothing. */
  delists?: CalendarDate | null | undefined
}

/** Prospects and listings as plans leave them, without a database: what the planner's properties are tried on. */
export class MemoryStore {
  prospects = new Map<string, KnownProspect>()
  listings: KnownListing[] = []
  highest = new Map<
    string,
    { countyFips: string; caseKey: string | null; auctionDate: string | null; highest: number }
  >()
  #made = 0

  plan(read: MemoryRead): DayPlan {
    return planDay({
      ...read,
      rejectedKeys: read.rejectedKeys ?? [],
      delists: read.delists,
      countyFips: '12031',
      prospects: [...this.prospects.values()],
      listings: this.listings,
      newId: () => this.#id('prospect'),
      at: new Date(this.#made),
    })
  }

  save(read: MemoryRead): DayPlan {
    this.#made += 1
    const at = new Date(this.#made)
    const plan = this.plan(read)
    const { lots, highest } = assignLots(plan.lotRequests, {
      held: [...this.prospects.values()],
      highest: [...this.highest.values()],
    })
    for (const group of highest) this.highest.set(groupKey(group), group)
    for (const { id, countyFips, before, values, listed } of plan.writes) {
      const lot = lots.get(id) ?? before?.lot
      if (lot === undefined) throw new Error(`${id} has no lot`)
      const delistedAt = listed ? null : (before?.delistedAt ?? at.toISOString())
      this.prospects.set(id, { ...values, id, countyFips, lot, surplus: null, listed, delistedAt })
    }
    const { close, rejected, delist } = plan.listings
    this.listings = this.listings.map((listing) => ({
      ...listing,
      closed: listing.closed || close.includes(listing),
      delisted: (listing.delisted || delist.includes(listing)) && !rejected.includes(listing),
    }))
    for (const { row, prospectId, listing } of plan.bindings) {
      const shown = { auctionDate: row.fields.auctionDate, delisted: false, values: rowValues(row) }
      const known = listing && this.listings.find((one) => one.id === listing.id)
      if (known) Object.assign(known, shown)
      else {
        const { siteKey } = read
        const id = this.#id('listing')
        this.listings.push({
          ...shown,
          id,
          prospectId,
          siteKey,
          sourceKey: row.sourceKey,
          firstSeenAt: at,
          closed: false,
        })
      }
    }
    return plan
  }

  open(): KnownListing[] {
    return this.listings.filter((one) => !one.closed)
  }

  /** The open listings of each prospect, as `site/key`: prospects without their ids. */
  groups(): string[][] {
    const byProspect = Map.groupBy(this.open(), (one) => one.prospectId)
    return [...byProspect.values()]
      .map((listings) => listings.map((one) => `${one.siteKey}/${one.sourceKey}`).toSorted())
      .toSorted((a, b) => (String(a) < String(b) ? -1 : 1))
  }

  #id(kind: string): string {
    return `${kind}-${this.prospects.size}-${this.listings.length}-${(this.#made += 1)}`
  }
}
