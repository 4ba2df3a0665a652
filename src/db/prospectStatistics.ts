import { type RawBuilder, sql } from 'kysely'
import type { AuctionStatus, AuctionType, CalendarDate, Decimal } from '../domain.ts'
import type { Database } from './database.ts'
import { type ProspectFilter, prospectConditions } from './prospectFilter.ts'

export const prospectGroupings = [
  'STATE',
  'COUNTY',
  'AUCTION_DATE',
  'WEEK',
  'MONTH',
  'AUCTION_STATUS',
  'AUCTION_TYPE',
] as const
export type ProspectGroupBy = (typeof prospectGroupings)[number]

const amounts = ['openingBid', 'finalJudgmentAmount', 'assessedValue', 'saleAmount', 'surplus'] as const
type Amount = (typeof amounts)[number]

/** Of the known amounts of a group. An average is rounded to a millionth where it must be; all else is exact. */
export interface AmountFigures {
  count: number
  sum: Decimal | null
  avg: Decimal | null
  median: Decimal | null
  min: Decimal | null
  max: Decimal | null
}

/** What it is not grouped by is not there; `date` is null for prospects without one. */
export interface ProspectGroupRow extends Record<Amount, AmountFigures> {
  stateCode?: string
  countyFips?: string
  date?: CalendarDate | null
  auctionStatus?: AuctionStatus
  auctionType?: AuctionType
  count: number
}

/**
 * The matching prospects in groups, at most `limit`, sorted by what they are grouped by; without a grouping one group
 * of all. The final judgment of a case counts once in a group for each date, however many lots it has: that of its
 * first lot that names one.
 */
export async function prospectGroups(
  db: Database,
  filter: ProspectFilter,
  groupBy: readonly ProspectGroupBy[],
  limit: number,
): Promise<ProspectGroupRow[]> {
  const keys = groupBy.flatMap((one) => groupKeys[one])
  const places = keys.map((_, i) => sql.lit(i + 1))
  const ordered = places.length === 0 ? sql`` : sql`group by ${sql.join(places)} order by ${sql.join(places)}`
  const selected = keys.map((key) => sql`${key.of} as ${sql.id(key.name)}`)
  const figures = amounts.map((amount) => sql`${figuresOf(amount)} as ${sql.id(amount)}`)
  const conditions = [sql`true`, ...prospectConditions(filter)]
  const { rows } = await sql<ProspectGroupRow>`
    select ${sql.join([...selected, sql`count(*) as count`, ...figures])}
    from (
      select county_state, county_sort, county_fips, auction_date, auction_status, auction_type,
        opening_bid, final_judgment_amount, assessed_value, sale_amount, surplus,
        row_number() over (
          partition by ${sql.join([...keys.map((key) => key.of), sql`county_fips`])}, auction_date,
            -- without a case number each is a case of its own: ids are no normalised case numbers
            coalesce(case_key, id::text)
          order by final_judgment_amount is null, lot, id
        ) = 1 as first_of_case
      from prospects where ${sql.join(conditions, sql` and `)}
    ) matching
    ${ordered} limit ${limit}`.execute(db)
  return rows
}

interface GroupKey {
  name: string
  of: RawBuilder<unknown>
}

const groupKeys: Record<ProspectGroupBy, GroupKey[]> = {
  STATE: [{ name: 'stateCode', of: sql`county_state` }],
  COUNTY: [
    { name: 'countySort', of: sql`county_sort` },
    { name: 'countyFips', of: sql`county_fips` },
  ],
  AUCTION_DATE: [{ name: 'date', of: sql`auction_date` }],
  // Of a timestamp without a zone: a date alone would be taken for a midnight somewhere.
  WEEK: [{ name: 'date', of: sql`date_trunc('week', auction_date::timestamp)::date` }],
  MONTH: [{ name: 'date', of: sql`date_trunc('month', auction_date::timestamp)::date` }],
  AUCTION_STATUS: [{ name: 'auctionStatus', of: sql`auction_status` }],
  AUCTION_TYPE: [{ name: 'auctionType', of: sql`auction_type` }],
}

/** Decimals as text: as numbers they would be floats once they are read. */
function figuresOf(amount: Amount): RawBuilder<AmountFigures> {
  const value = sql.ref(amount)
  const counted = amount === 'finalJudgmentAmount' ? sql`filter (where first_of_case)` : sql``
  const middle = (direction: RawBuilder<unknown>) =>
    sql`percentile_disc(0.5) within group (order by ${value} ${direction}) ${counted}`
  // The two in the middle of an even number, one and the same of an odd one.
  const median = sql`(${middle(sql`asc`)} + ${middle(sql`desc`)}) / 2`
  return sql`json_build_object(
    'count', count(${value}) ${counted},
    'sum', (sum(${value}) ${counted})::text,
    'avg', ${printed(sql`avg(${value}) ${counted}`)},
    'median', ${printed(median)},
    'min', (min(${value}) ${counted})::text,
    'max', (max(${value}) ${counted})::text)`
}

/** With two places, and up to six where they are needed. */
function printed(decimal: RawBuilder<unknown>) {
  const rounded = sql`trim_scale(round(${decimal}, 6))`
  return sql`round(${rounded}, greatest(2, scale(${rounded})))::text`
}
