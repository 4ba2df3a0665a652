import { refuseEmptyLists } from '../db/filters.ts'
import type { Page, PageArgs } from '../db/pages.ts'
import {
  allStates,
  type CountyFilter,
  countiesByFips,
  countiesOfStates,
  countiesPage,
  countyByName,
  statesByCode,
} from '../db/places.ts'
import type { CountyRow, StateRow } from '../db/tables.ts'
import { distinct, inGroups, inOrder } from './batches.ts'
import type { Context } from './context.ts'

export async function loadStates(codes: readonly string[], { db }: Context): Promise<(StateRow | null)[]> {
  return inOrder(codes, await statesByCode(db, distinct(codes)), (row) => row.code)
}

export async function loadCounties(fips: readonly string[], { db }: Context): Promise<(CountyRow | null)[]> {
  return inOrder(fips, await countiesByFips(db, distinct(fips)), (row) => row.fips)
}

export async function loadCountiesOfStates(codes: readonly string[], { db }: Context): Promise<CountyRow[][]> {
  return inGroups(codes, await countiesOfStates(db, distinct(codes)), (row) => row.stateCode)
}

export async function states({ db }: Context): Promise<StateRow[]> {
  return await allStates(db)
}

export async function county(args: { state: string; name: string }, { db }: Context): Promise<CountyRow | null> {
  refuseEmptyLists(args, [])
  return await countyByName(db, args.state, args.name)
}

export async function counties(args: CountyFilter & PageArgs, { db }: Context): Promise<Page<CountyRow>> {
  refuseEmptyLists(args, [])
  return await countiesPage(db, args, args)
}
