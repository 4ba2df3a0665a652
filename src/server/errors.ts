import { randomUUID } from 'node:crypto'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { RefusedInputError } from '../db/pages.ts'
import { CursorExpiredError } from '../db/prospectChanges.ts'
import type { Logger } from '../log.ts'

/**
 * Every error as clients may see it. What is meant for them passes, with an `extensions.code`; what a reader asked
 * for in vain becomes BAD_USER_INPUT with its issues; a fault of ours becomes INTERNAL_SERVER_ERROR with nothing but
 * an id, under which the log has the rest.
 */
export function presentError(error: unknown, log: Logger): GraphQLError {
  const cause = causeOf(error)
  const at = error instanceof GraphQLError ? { nodes: error.nodes ?? null, path: error.path ?? null } : {}
  if (cause instanceof RefusedInputError) {
    const extensions = { code: 'BAD_USER_INPUT', issues: cause.issues }
    return new GraphQLError(cause.message, { ...at, extensions })
  }
  if (cause instanceof CursorExpiredError) {
    return new GraphQLError(cause.message, { ...at, extensions: { code: 'CURSOR_EXPIRED' } })
  }
  if (error instanceof GraphQLError && cause === null) return withCode(error)
  const id = randomUUID()
  log.error({ err: cause ?? error, errorId: id, path: at.path?.join('.') }, 'an operation failed')
  const extensions = { code: 'INTERNAL_SERVER_ERROR', id }
  return new GraphQLError(`Something went wrong on our side. The log knows it as ${id}.`, { ...at, extensions })
}

/** Every code that an error of the API may have. */
const codes = new Set<unknown>([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'BAD_USER_INPUT',
  'NOT_FOUND',
  'COST_LIMIT',
  'RATE_LIMITED',
  'CURSOR_EXPIRED',
  'INTERNAL_SERVER_ERROR',
])

/** The error itself, with one of our codes: what has none by now is about the request, its document or variables. */
export function withCode(error: GraphQLError): GraphQLError {
  const { extensions } = error
  if (codes.has(extensions['code'])) return error
  extensions['code'] = 'BAD_USER_INPUT'
  extensions['issues'] = [{ path: [], message: error.message }]
  if (extensions['originalError'] !== undefined) {
    // What the parser of JSON said, in its own words. Yoga takes it for the reason to answer 400 to every client.
    delete extensions['originalError']
    extensions['http'] = { status: 400 }
  }
  return error
}

/** As it goes over a socket: without what is meant for HTTP. */
export function formatError(error: GraphQLError): GraphQLFormattedError {
  const { extensions, ...formatted } = error.toJSON()
  const { http: _, ...rest } = extensions ?? {}
  return { ...formatted, extensions: rest }
}

/** What was thrown behind GraphQL errors that only carry it; null when the error is nothing but a GraphQL error. */
function causeOf(error: unknown): unknown {
  let cause = error
  for (let depth = 0; depth < 10 && cause instanceof GraphQLError; depth++) cause = cause.originalError ?? null
  return cause
}
