import { coerceInputValue, GraphQLError, type GraphQLInputType } from 'graphql'
import type { ProspectSelection } from '../engine/prospectExport.ts'
import { type ExportArgs, prospectSelection } from '../resolvers/exports.ts'
import { schema } from './schema.ts'

/**
 * What the filter and the order in a link ask for: read from their JSON as the arguments of `prospects` are, so that
 * whatever those may hold goes into links too. Null for what this version does not take.
 */
export function selectionOfLink(link: { filter?: unknown; orderBy?: unknown }): ProspectSelection | null {
  try {
    return prospectSelection({
      filter: coerceInputValue(link.filter ?? null, inputType('ProspectFilter')) as ExportArgs['filter'],
      orderBy: coerceInputValue(link.orderBy ?? null, inputType('ProspectOrder')) as ExportArgs['orderBy'],
    })
  } catch (error) {
    if (error instanceof GraphQLError) return null
    throw error
  }
}

const inputType = (name: string) => schema.getType(name) as GraphQLInputType
