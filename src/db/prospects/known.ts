import { type Expression, type SqlBool, sql } from 'kysely'
import type { CalendarDate } from '../../domain.ts'
import type { Tx } from '../database.ts'
import { groupKey, type LotBook, type LotRequest } from './lots.ts'
import { type KnownListing, type KnownProspect, toKnownProspect } from './values.ts'

export interface KnownDay {
  prospects: KnownProspect[]
  listings: KnownListing[]
}

/**
 * All that is known of a read's day, its prospects locked: those that this site has shown under one of the source
 * keys or on one of the dates, and every other of the county on these dates (who may be adopted); with all their
 * listings, closed ones too. The caller holds the county's lock.
 */
export async function loadKnown(
  trx: Tx,
  read: {
    siteKey: string
    countyFips: string
    sourceKeys: readonly string[]
    dates: readonly (CalendarDate | null)[]
  },
): Promise<KnownDay> {
  const shown = trx
    .selectFrom('listings')
    .select('prospectId as id')
    .where('siteKey', '=', read.siteKey)
    .where('closedAt', 'is', null)
    .where((eb) => eb.or([isAny('sourceKey', 'text', read.sourceKeys), isAny('auctionDate', 'date', read.dates)]))
  const ofCounty = trx
    .selectFrom('prospects')
    .select('id')
    .where('countyFips', '=', read.countyFips)
    .where(isAny('auctionDate', 'date', read.dates))
  const prospects = await trx
    .selectFrom('prospects')
    .selectAll()
    .where('id', 'in', shown.union(ofCounty))
    .orderBy('id')
    .forUpdate()
    .execute()
  const ids = prospects.map((one) => one.id)
  const listings =
    ids.length === 0
      ? []
      : await trx
          .selectFrom('listings')
          .selectAll()
          .where(isAny('prospectId', 'uuid', ids))
          .execute()
  return {
    prospects: prospects.map(toKnownProspect),
    listings: listings.map(({ fields, rawData, caseKey, parcelKey, addressKey, delistedAt, closedAt, ...listing }) => ({
      ...listing,
      delisted: delistedAt !== null,
      closed: closedAt !== null,
      values: { ...fields, rawData, caseKey, parcelKey, addressKey },
    })),
  }
}

/** The lots of the groups that prospects come to. */
export async function loadLots(trx: Tx, requests: readonly LotRequest[]): Promise<LotBook> {
  if (requests.length === 0) return { held: [], highest: [] }
  const asked = new Set(requests.map(groupKey))
  // A rectangle of cases and dates that the unique indexes can read; what was not asked for is dropped.
  const where = sql.join<SqlBool>(
    [
      isAny('countyFips', 'text', unique(requests.map((one) => one.countyFips))),
      isAny('caseKey', 'text', unique(requests.map((one) => one.caseKey))),
      isAny('auctionDate', 'date', unique(requests.map((one) => one.auctionDate))),
    ],
    sql` and `,
  )
  const held = await trx
    .selectFrom('prospects')
    .select(['id', 'countyFips', 'caseKey', 'auctionDate', 'lot'])
    .where(sql<SqlBool>`${where}`)
    .execute()
  const highest = await trx.selectFrom('prospectLots').selectAll().where(sql<SqlBool>`${where}`).execute()
  return {
    held: held.filter((one) => asked.has(groupKey(one))),
    highest: highest.filter((one) => asked.has(groupKey(one))),
  }
}

/** `column = any(values)`, where a null among the values matches null. */
function isAny(
  column: string,
  type: 'text' | 'date' | 'uuid',
  values: readonly (string | null)[],
): Expression<SqlBool> {
  const known = values.filter((one) => one !== null)
  const equal = sql<SqlBool>`${sql.ref(column)} = any(${known}::${sql.raw(type)}[])`
  return known.length < values.length ? sql<SqlBool>`(${equal} or ${sql.ref(column)} is null)` : equal
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
