import { type Expression, type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import type { Database } from './database.ts'
import type { Tables } from './tables.ts'

/** The four arguments of a Relay connection. */
export interface PageArgs {
  first?: number | null | undefined
  after?: string | null | undefined
  last?: number | null | undefined
  before?: string | null | undefined
}

/** Rows of a page unless told. */
export const defaultPageSize = 50
/** More than this is refused, never clamped. */
export const maxPageSize = 200

/** What a reader asked for makes no sense; one issue for each thing that is wrong. */
export class RefusedInputError extends Error {
  override name = 'RefusedInputError'
  readonly issues: { path: string[]; message: string }[]

  constructor(issues: { path: string[]; message: string }[]) {
    super(issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '))
    this.issues = issues
  }
}

type KeyType = 'text' | 'uuid' | 'integer' | 'decimal' | 'date' | 'instant'

/** One expression that rows are sorted by, never null in its segment. `of` is its value in a row that was read. */
export interface SortKey<Row> {
  expression: RawBuilder<unknown>
  type: KeyType
  of(row: Row): string | number
}

/**
 * A part of an order: the rows of `where`, sorted by `keys`, of which the last makes them distinct. Segments follow
 * one another, which is how nulls come last in both directions while each part still walks an index.
 */
export interface Segment<Row> {
  where?: Expression<SqlBool>
  keys: readonly SortKey<Row>[]
}

/** A total order of rows. A cursor carries the order's name and is refused under any other. */
export interface Order<Row> {
  name: string
  direction: 'asc' | 'desc'
  segments: readonly [Segment<Row>, ...Segment<Row>[]]
  /** The segment a row belongs to. */
  segmentOf(row: Row): number
}

/** The rows a page is cut from, before order and limit. */
export type Rows<Row, TB extends keyof Tables = keyof Tables> = SelectQueryBuilder<Tables, TB, Row>

/** A page of rows with what Relay's PageInfo says of it. `all` counts the rows behind it: see countRows. */
export interface Page<Row> {
  edges: { cursor: string; node: Row }[]
  pageInfo: {
    hasNextPage: boolean
    hasPreviousPage: boolean
    startCursor: string | null
    endCursor: string | null
  }
  all: RawBuilder<unknown>
}

/** An order with nothing nullable in it. */
export function plainOrder<Row>(name: string, direction: 'asc' | 'desc', keys: readonly SortKey<Row>[]): Order<Row> {
  return { name, direction, segments: [{ keys }], segmentOf: () => 0 }
}

/** A sort key that is a column, named `table.column`. */
export function columnKey<Row>(column: string, type: KeyType, of: (row: Row) => string | number): SortKey<Row> {
  return { expression: sql.ref(column), type, of }
}

/**
 * Reads one page of the rows: a keyset page, by the Relay cursor-connection algorithm. Throws RefusedInputError for
 * arguments that are out of range or contradict each other and for cursors that are not of this order.
 */
export async function readPage<Row, TB extends keyof Tables>(
  db: Database,
  rows: Rows<Row, TB>,
  order: Order<Row>,
  args: PageArgs,
): Promise<Page<Row>> {
  const [page] = await readPages(db, [rows], order, args)
  return page as Page<Row>
}

/**
 * The same page of many parents at once, in as many statements as the order has segments: `sources[i]` holds the rows
 * of parent i.
 */
export async function readPages<Row, TB extends keyof Tables>(
  db: Database,
  sources: readonly Rows<Row, TB>[],
  order: Order<Row>,
  args: PageArgs,
): Promise<Page<Row>[]> {
  const { backward, limit, after, before } = checkPageArgs(args, order)
  const found: Row[][] = sources.map(() => [])
  const indexes = order.segments.map((_, index) => index)
  for (const index of backward ? indexes.toReversed() : indexes) {
    if ((after !== null && index < after.segment) || (before !== null && index > before.segment)) continue
    const short = sources.flatMap((rows, i) => {
      const missing = limit + 1 - (found[i] as Row[]).length
      return missing > 0 ? [{ i, rows: walk(rows, order, index, { backward, after, before }).limit(missing) }] : []
    })
    const read = await readTogether(
      db,
      short.map((one) => one.rows),
    )
    for (const [at, { i }] of short.entries()) found[i]?.push(...(read[at] as Row[]))
  }
  return sources.map((rows, i) => toPage(found[i] as Row[], { backward, limit, after, before, order, rows }))
}

/** All of the rows: a query for each segment of the order, to be read one after the other. */
export function orderedParts<Row, TB extends keyof Tables>(rows: Rows<Row, TB>, order: Order<Row>): Rows<Row, TB>[] {
  return order.segments.map((_, index) => walk(rows, order, index, { backward: false, after: null, before: null }))
}

/** How many rows there are behind each page; one statement for all. */
export async function countRows(db: Database, all: readonly RawBuilder<unknown>[]): Promise<number[]> {
  const counts = all.map((rows, i) => sql`select ${sql.lit(i)} as parent, count(*) as rows from (${rows}) counted`)
  const result = await sql<{ parent: number; rows: number }>`${sql.join(counts, sql` union all `)}`.execute(db)
  const byParent = new Map(result.rows.map((row) => [row.parent, row.rows]))
  return all.map((_, i) => byParent.get(i) ?? 0)
}

/** The cursor of a place in an order: base64url of `{"o": order, "k": [segment, ...keys]}`. */
export function encodeCursor(order: string, segment: number, keys: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify({ o: order, k: [segment, ...keys] })).toString('base64url')
}

/** The keys in a cursor of this order, given as the argument `name`. Throws RefusedInputError for any other text. */
export function keysOfCursor<Row>(cursor: string, order: Order<Row>, name: string): (string | number)[] {
  const place = decodeCursor(cursor, order)
  if (typeof place === 'string') throw new RefusedInputError([{ path: [name], message: place }])
  return place.keys
}

interface Place {
  segment: number
  keys: (string | number)[]
}

interface Walk {
  backward: boolean
  after: Place | null
  before: Place | null
}

function checkPageArgs<Row>(args: PageArgs, order: Order<Row>): Walk & { limit: number } {
  const issues: { path: string[]; message: string }[] = []
  for (const name of ['first', 'last'] as const) {
    const value = args[name]
    if (value == null) continue
    if (value < 0) issues.push({ path: [name], message: 'must not be negative' })
    if (value > maxPageSize) issues.push({ path: [name], message: `must be at most ${maxPageSize}` })
  }
  if (args.first != null && args.last != null) {
    issues.push({ path: ['first'], message: 'must not be given together with last' })
  }
  const places: Record<'after' | 'before', Place | null> = { after: null, before: null }
  for (const name of ['after', 'before'] as const) {
    const cursor = args[name]
    if (cursor == null) continue
    const place = decodeCursor(cursor, order)
    if (typeof place === 'string') issues.push({ path: [name], message: place })
    else places[name] = place
  }
  if (issues.length > 0) throw new RefusedInputError(issues)
  return { ...places, backward: args.last != null, limit: args.last ?? args.first ?? defaultPageSize }
}

/** The place a cursor names, or why it names none. */
function decodeCursor<Row>(cursor: string, order: Order<Row>): Place | string {
  const forged = 'is not a cursor of this list'
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch (error) {
    if (error instanceof SyntaxError) return forged
    throw error
  }
  if (typeof parsed !== 'object' || parsed === null || !('o' in parsed) || !('k' in parsed)) return forged
  if (parsed.o !== order.name) return 'is a cursor of another order'
  if (!Array.isArray(parsed.k)) return forged
  const [segment, ...keys] = parsed.k as unknown[]
  const wanted = order.segments[Number.isInteger(segment) ? (segment as number) : -1]
  if (!wanted || keys.length !== wanted.keys.length) return forged
  if (!wanted.keys.every((key, i) => isOfType(keys[i], key.type))) return forged
  return { segment: segment as number, keys: keys as (string | number)[] }
}

function isOfType(value: unknown, type: KeyType): boolean {
  if (type === 'integer') return Number.isSafeInteger(value)
  if (typeof value !== 'string') return false
  switch (type) {
    case 'text':
      return !value.includes('\0')
    case 'decimal':
      return /^-?\d{1,12}\.\d\d$/.test(value)
    case 'uuid':
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)
    case 'date':
      return /^-?infinity$/.test(value) || (/^\d{4}-\d\d-\d\d$/.test(value) && isInstant(`${value}T00:00:00.000Z`))
    default:
      return isInstant(value)
  }
}

/** Whether the text is an instant exactly as toISOString prints it, year 1 to 9999. */
function isInstant(text: string): boolean {
  const at = new Date(text)
  return /^\d{4}-/.test(text) && !text.startsWith('0000') && !Number.isNaN(at.getTime()) && at.toISOString() === text
}

/** The rows of one segment between the cursors, sorted. */
function walk<Row, TB extends keyof Tables>(rows: Rows<Row, TB>, order: Order<Row>, index: number, by: Walk) {
  const segment = order.segments[index] as Segment<Row>
  const ascending = order.direction === 'asc'
  let walked = rows
  if (segment.where) walked = walked.where(segment.where)
  if (by.after?.segment === index) walked = walked.where(beyond(segment, by.after.keys, ascending ? '>' : '<'))
  if (by.before?.segment === index) walked = walked.where(beyond(segment, by.before.keys, ascending ? '<' : '>'))
  for (const key of segment.keys) walked = walked.orderBy(key.expression, ascending === by.backward ? 'desc' : 'asc')
  return walked
}

function beyond<Row>(segment: Segment<Row>, values: readonly (string | number)[], operator: '<' | '>') {
  const casts: Record<KeyType, string> = {
    text: 'text',
    uuid: 'uuid',
    integer: 'bigint',
    decimal: 'numeric',
    date: 'date',
    instant: 'timestamptz',
  }
  const keys = sql.join(segment.keys.map((key) => key.expression))
  const place = sql.join(segment.keys.map((key, i) => sql`${values[i]}::${sql.raw(casts[key.type])}`))
  return sql<SqlBool>`(${keys}) ${sql.raw(operator)} (${place})`
}

async function readTogether<Row, TB extends keyof Tables>(db: Database, sources: Rows<Row, TB>[]): Promise<Row[][]> {
  const [only] = sources
  if (only === undefined) return []
  if (sources.length === 1) return [await only.execute()]
  const parts = sources.map((rows, i) => sql`(select ${sql.lit(i)} as page_parent, page.* from (${rows}) page)`)
  const result = await sql<{ pageParent: number }>`${sql.join(parts, sql` union all `)}`.execute(db)
  const read: Row[][] = sources.map(() => [])
  for (const { pageParent, ...row } of result.rows) read[pageParent]?.push(row as Row)
  return read
}

function toPage<Row, TB extends keyof Tables>(
  read: Row[],
  by: Walk & { limit: number; order: Order<Row>; rows: Rows<Row, TB> },
): Page<Row> {
  const more = read.length > by.limit
  const nodes = read.slice(0, by.limit)
  if (by.backward) nodes.reverse()
  const edges = nodes.map((node) => {
    const segment = by.order.segmentOf(node)
    const keys = (by.order.segments[segment] as Segment<Row>).keys.map((key) => key.of(node))
    return { cursor: encodeCursor(by.order.name, segment, keys), node }
  })
  return {
    edges,
    pageInfo: {
      // Relay: the side that was cut tells exactly; on the other there is at least the row of the cursor.
      hasNextPage: by.backward ? by.before !== null : more,
      hasPreviousPage: by.backward ? more : by.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    all: sql`${by.rows}`,
  }
}
