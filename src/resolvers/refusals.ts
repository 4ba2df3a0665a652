import { GraphQLError } from 'graphql'
import type { InputIssue } from '../engine/outcome.ts'

/** An argument that makes no sense, with everything that is wrong with it. */
export function badUserInput(issues: InputIssue[]): GraphQLError {
  const message = issues.map((issue) => [issue.path.join('.'), issue.message].filter(Boolean).join(': ')).join('; ')
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', issues } })
}

/** What a subscription is asked to watch is not there. */
export function notFound(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'NOT_FOUND' } })
}

/** Nobody is signed in. */
export function unauthenticated(): GraphQLError {
  return new GraphQLError('A valid API key is required: Authorization: Bearer KEY.', {
    extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } },
  })
}

/** Who is signed in may not do this. */
export function forbidden(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'FORBIDDEN' } })
}
