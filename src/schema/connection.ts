import type { ArgBuilder, ObjectRef } from '@pothos/core'
import type { Page, PageArgs } from '../db/pages.ts'
import { defaultPageSize, loadTotals, maxPageSize } from '../resolvers/paging.ts'
import { builder } from './builder.ts'

type Types = typeof builder.$inferSchemaTypes

/**
 * The Relay connection type of a node type: `NameConnection` and `NameEdge`, with `nodes` beside `edges`, and a
 * `totalCount` that is counted only where it is selected, in one statement for all pages beside each other.
 */
export function connectionType<Row>(name: string, node: ObjectRef<Types, string | Row, Row>, what: string) {
  const edge = builder.objectRef<{ cursor: string; node: Row }>(`${name}Edge`)
  edge.implement({
    description: `One of ${what} with its place in the list.`,
    fields: (t) => ({
      cursor: t.exposeString('cursor', {
        description: 'The place in the list, for `after` and `before` of the same list in the same order.',
      }),
      node: t.field({ type: node, description: 'The item.', resolve: (one) => one.node as never }),
    }),
  })
  return builder.objectRef<Page<Row>>(`${name}Connection`).implement({
    description: `A page of ${what}.`,
    fields: (t) => ({
      edges: t.field({ type: [edge], description: 'The items with their cursors.', resolve: (page) => page.edges }),
      nodes: t.field({
        type: [node],
        description: 'The items alone.',
        resolve: (page) => page.edges.map((one) => one.node) as never,
      }),
      pageInfo: t.field({
        type: builder.pageInfoRef(),
        description: 'Where the page stands in the list.',
        resolve: (page) => page.pageInfo,
      }),
      totalCount: t.loadable({
        type: 'Int',
        description: 'How many items the whole list has. Counted only when asked for.',
        byPath: true,
        loaderOptions: unremembered,
        load: async (all: Page<unknown>['all'][], context) => await loadTotals(all, context),
        resolve: (page) => page.all,
      }),
    }),
  })
}

/** first, after, last and before, as every connection takes them. */
export function pageArgs(arg: ArgBuilder<Types>) {
  const most = `at most ${maxPageSize}; ${defaultPageSize} unless told`
  return {
    first: arg.int({ description: `So many items from the start, or after \`after\`: ${most}.` }),
    after: arg.string({ description: 'Items after this cursor.' }),
    last: arg.int({
      description: `So many items from the end, or before \`before\`: ${most}. Not together with first.`,
    }),
    before: arg.string({ description: 'Items before this cursor.' }),
  }
}

/** A page costs the rows it could have, and multiplies what is selected of each. */
export function pageCost(args: PageArgs): { field: number; multiplier: number } {
  const rows = Math.min(Math.max(args.last ?? args.first ?? defaultPageSize, 0), maxPageSize)
  return { field: rows, multiplier: rows }
}

/** A list that is not paged costs what it is likely to hold. */
export const listCost = (rows: number) => ({ field: rows, multiplier: rows })

/**
 * Loaders put what is asked for at one moment together and remember nothing: the context of a subscription lives as
 * long as the subscription, and each of its events must see things as they are. Batches are small enough for the
 * parameters of one statement.
 */
export const unremembered = { cache: false, maxBatchSize: 200 } as const

/** The same for what is read by its key alone: a list of lists names many keys, most of them more than once. */
export const unrememberedKeys = { cache: false, maxBatchSize: 5_000 } as const
