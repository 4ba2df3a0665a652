import { countRows, type Page } from '../db/pages.ts'
import type { Context } from './context.ts'

export { defaultPageSize, maxPageSize } from '../db/pages.ts'

/** How many rows there are behind each page. */
export async function loadTotals(all: readonly Page<unknown>['all'][], { db }: Context): Promise<number[]> {
  return await countRows(db, all)
}
