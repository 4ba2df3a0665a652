import { type SqlBool, sql } from 'kysely'
import { columnKey, type Order, plainOrder, type Segment, type SortKey } from './pages.ts'
import type { ProspectRow } from './tables.ts'

const amounts = {
  FINAL_JUDGMENT_AMOUNT: 'finalJudgmentAmount',
  ASSESSED_VALUE: 'assessedValue',
  OPENING_BID: 'openingBid',
  SALE_AMOUNT: 'saleAmount',
  SURPLUS: 'surplus',
} as const

type AmountField = keyof typeof amounts
export type ProspectOrderField = 'AUCTION_DATE' | 'FIRST_SEEN_AT' | 'UPDATED_AT' | 'COUNTY' | AmountField
export interface ProspectOrder {
  field: ProspectOrderField
  direction: 'ASC' | 'DESC'
}

/** By auction date, rows without one last. */
export const defaultProspectOrder: ProspectOrder = { field: 'AUCTION_DATE', direction: 'ASC' }

const date = columnKey<ProspectRow>('prospects.auctionDate', 'date', (row) => row.auctionDate as string)
const id = columnKey<ProspectRow>('prospects.id', 'uuid', (row) => row.id)

/** Nulls last both ways; ties by auction date, then id, in the direction of the order. COUNTY: by state and name. */
export function prospectOrder(order: ProspectOrder): Order<ProspectRow> {
  const name = `${order.field}_${order.direction}`
  const direction = order.direction === 'ASC' ? 'asc' : 'desc'
  switch (order.field) {
    case 'AUCTION_DATE':
      return {
        name,
        direction,
        segments: [
          { where: known('auctionDate'), keys: [date, id] },
          { where: unknown('auctionDate'), keys: [id] },
        ],
        segmentOf: (row) => (row.auctionDate === null ? 1 : 0),
      }
    case 'FIRST_SEEN_AT': {
      const seen = columnKey<ProspectRow>('prospects.firstSeenAt', 'instant', (row) => row.firstSeenAt.toISOString())
      return plainOrder(name, direction, [seen, dateOrLast(direction), id])
    }
    case 'UPDATED_AT': {
      const updated = columnKey<ProspectRow>('prospects.updatedAt', 'instant', (row) => row.updatedAt.toISOString())
      return plainOrder(name, direction, [updated, dateOrLast(direction), id])
    }
    case 'COUNTY': {
      const county = columnKey<ProspectRow>('prospects.countySort', 'text', (row) => row.countySort)
      return plainOrder(name, direction, [county, dateOrLast(direction), id])
    }
    default:
      return { name, direction, ...amountOrder(amounts[order.field], direction) }
  }
}

/** Rows without the amount are two more parts, by date as all rows are: so each walks an index. */
function amountOrder(column: (typeof amounts)[AmountField], direction: 'asc' | 'desc') {
  const amount = columnKey<ProspectRow>(`prospects.${column}`, 'decimal', (row) => row[column] as string)
  const segments: [Segment<ProspectRow>, ...Segment<ProspectRow>[]] = [
    { where: known(column), keys: [amount, dateOrLast(direction), id] },
    { where: sql<SqlBool>`${unknown(column)} and ${known('auctionDate')}`, keys: [date, id] },
    { where: sql<SqlBool>`${unknown(column)} and ${unknown('auctionDate')}`, keys: [id] },
  ]
  const segmentOf = (row: ProspectRow): number => {
    if (row[column] !== null) return 0
    return row.auctionDate === null ? 2 : 1
  }
  return { segments, segmentOf }
}

const known = (column: string) => sql<SqlBool>`${sql.ref(`prospects.${column}`)} is not null`
const unknown = (column: string) => sql<SqlBool>`${sql.ref(`prospects.${column}`)} is null`

/** The auction date as a key that is never null: rows without one come after the others. */
function dateOrLast(direction: 'asc' | 'desc'): SortKey<ProspectRow> {
  const last = direction === 'asc' ? 'infinity' : '-infinity'
  return {
    expression: sql`coalesce(${sql.ref('prospects.auctionDate')}, ${sql.lit(last)}::date)`,
    type: 'date',
    of: (row) => row.auctionDate ?? last,
  }
}
