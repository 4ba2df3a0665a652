import { type Expression, type SqlBool, sql } from 'kysely'
import type { CalendarDate } from '../domain.ts'
import { RefusedInputError } from './pages.ts'

/** Both ends included; `undated`: true for rows without a date alone, false for rows with one. */
export interface DateFilter {
  from?: CalendarDate | null | undefined
  to?: CalendarDate | null | undefined
  undated?: boolean | null | undefined
}

/** Both ends included. */
export interface InstantFilter {
  from?: Date | null | undefined
  to?: Date | null | undefined
}

/** A place as a filter names it: a whole state, a county by its names, or a county by its FIPS code. */
export type Place = { state: string } | { state: string; county: string } | { fips: string }

/** Conditions on an instant column, none for a filter that is not given. */
export function instantIn(column: string, filter: InstantFilter | null | undefined): Expression<SqlBool>[] {
  const at = sql.ref(column)
  const conditions: Expression<SqlBool>[] = []
  if (filter?.from) conditions.push(sql<SqlBool>`${at} >= ${filter.from}`)
  if (filter?.to) conditions.push(sql<SqlBool>`${at} <= ${filter.to}`)
  return conditions
}

/** Conditions on a nullable date column. */
export function dateIn(column: string, filter: DateFilter | null | undefined): Expression<SqlBool>[] {
  const date = sql.ref(column)
  const conditions: Expression<SqlBool>[] = []
  if (filter?.from) conditions.push(sql<SqlBool>`${date} >= ${filter.from}::date`)
  if (filter?.to) conditions.push(sql<SqlBool>`${date} <= ${filter.to}::date`)
  if (filter?.undated === true) conditions.push(sql<SqlBool>`${date} is null`)
  if (filter?.undated === false) conditions.push(sql<SqlBool>`${date} is not null`)
  return conditions
}

/** A column is one of the values; no condition when there is no list. Values must not be an empty list. */
export function oneOf(column: string, values: readonly unknown[] | null | undefined): Expression<SqlBool>[] {
  if (values == null) return []
  if (values.length === 1) return [sql<SqlBool>`${sql.ref(column)} = ${values[0]}`]
  return [sql<SqlBool>`${sql.ref(column)} in (${sql.join(values)})`]
}

/**
 * Rows in any of the places. `fips` is the row's county column; `state`, where it has one, its state column. Names
 * match without case; a place that does not exist matches nothing.
 */
export function inPlaces(
  places: readonly Place[] | null | undefined,
  columns: { fips: string; state?: string },
): Expression<SqlBool>[] {
  if (places == null) return []
  const fips = sql.ref(columns.fips)
  const conditions = places.map((place) => {
    if ('fips' in place) return sql<SqlBool>`${fips} = ${place.fips}`
    const state = place.state.toUpperCase()
    if ('county' in place) {
      return sql<SqlBool>`${fips} = (select c.fips from counties c
        where c.state_code = ${state} and lower(c.name) = lower(${place.county}))`
    }
    if (columns.state) return sql<SqlBool>`${sql.ref(columns.state)} = ${state}`
    return sql<SqlBool>`${fips} in (select c.fips from counties c where c.state_code = ${state})`
  })
  return conditions.length === 1 ? conditions : [sql<SqlBool>`(${sql.join(conditions, sql` or `)})`]
}

/** The text is contained in the column, without case; its own `%`, `_` and `\` stand for themselves. */
export function contains(column: string, text: string | null | undefined): Expression<SqlBool>[] {
  if (text == null || text === '') return []
  return [sql<SqlBool>`${sql.ref(column)} ilike ${likePattern(text)}`]
}

/** The pattern of LIKE for text that has this in it. */
export function likePattern(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
}

/**
 * Refuses lists of a filter that are given and empty: they would match nothing, which nobody means. And text with a
 * NUL, which Postgres cannot hold. `path` is the argument's.
 */
export function refuseEmptyLists(filter: object | null | undefined, path: string[] = ['filter']): void {
  const issues = senseless(filter, path)
  if (issues.length > 0) throw new RefusedInputError(issues)
}

function senseless(value: unknown, path: string[]): { path: string[]; message: string }[] {
  if (typeof value === 'string') return value.includes('\0') ? [{ path, message: 'must not hold a NUL' }] : []
  if (Array.isArray(value) && value.length === 0) return [{ path, message: 'must not be an empty list' }]
  if (typeof value !== 'object' || value === null || value instanceof Date) return []
  return Object.entries(value).flatMap(([name, part]) => senseless(part, [...path, name]))
}
