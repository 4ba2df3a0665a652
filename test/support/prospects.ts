import { randomUUID } from 'node:crypto'
import type { Insertable } from 'kysely'
import type { Database } from '../../src/db/database.ts'
import type { ListingRow, ProspectRow, Tables } from '../../src/db/tables.ts'

/** Saves prospects of Duval County, FL, scheduled foreclosures unless told; each with a lot of its own. */
export async function insertProspects(
  db: Database,
  given: Partial<Insertable<Tables['prospects']>>[],
): Promise<ProspectRow[]> {
  return await db
    .insertInto('prospects')
    .values(
      given.map((one, i) => ({
        countyFips: '12031',
        countyState: 'FL',
        lot: i + 1,
        auctionStatus: 'SCHEDULED' as const,
        auctionType: 'FORECLOSURE' as const,
        sourceUrl: 'https://duval.example.com/',
        rawData: JSON.stringify({ fields: [{ label: 'Case #:', value: '1' }], status: null, area: 'W' }),
        ...one,
      })),
    )
    .returningAll()
    .execute()
}

/** Saves an open listing of a prospect at a site. */
export async function insertListing(
  db: Database,
  prospectId: string,
  site: { id: string; siteKey: string },
): Promise<ListingRow> {
  return await db
    .insertInto('listings')
    .values({
      prospectId,
      scrapeUrlId: site.id,
      siteKey: site.siteKey,
      sourceKey: randomUUID(),
      url: `https://${site.siteKey}/item`,
      fields: '{}',
      rawData: '{}',
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}
