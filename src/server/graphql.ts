import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases'
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth'
import { maxDirectivesPlugin } from '@escape.tech/graphql-armor-max-directives'
import { maxTokensPlugin } from '@escape.tech/graphql-armor-max-tokens'
import { useCSRFPrevention } from '@graphql-yoga/plugin-csrf-prevention'
import { GraphQLError, type ValidationContext } from 'graphql'
import { createYoga, type Plugin } from 'graphql-yoga'
import type { SignedIn } from '../engine/people.ts'
import type { Context, Services } from '../resolvers/context.ts'
import { schema } from '../schema/schema.ts'
import { useCostLimit } from './costLimit.ts'
import { presentError, withCode } from './errors.ts'
import { limits } from './limits.ts'

/** What a request brings: who sent it. */
export interface RequestContext {
  viewer: SignedIn
  /** Where it reached us. */
  origin: string
}

/** GraphQL over HTTP and server-sent events; over WebSocket the same through `getEnveloped` (src/server/webSocket.ts). */
export function createGraphql(services: Services & Pick<Context, 'exportLinks'>) {
  // A rule that throws would be answered with 200: they report like any other rule.
  const reported = {
    propagateOnRejection: false,
    onReject: [(context: ValidationContext | null, error: GraphQLError) => context?.reportError(error)],
  }
  return createYoga<RequestContext, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    context: ({ viewer, origin }): Context => ({ ...services, viewer, origin }),
    maskedErrors: { maskError: (error) => presentError(error, services.log) },
    maxRequestBodySize: limits.bodyBytes,
    multipart: false,
    // Faults are logged where they are masked.
    logging: false,
    // No other origin may read answers; yoga alone would reflect any, with credentials.
    cors: false,
    // /graphiql has the page, without a schema in it.
    graphiql: false,
    landingPage: false,
    plugins: [
      // A browser sends `authorization` across origins only after a preflight, which nobody answers.
      useCSRFPrevention({ requestHeaders: ['authorization'] }),
      // While parsing: a document of many tokens is not even read to its end.
      maxTokensPlugin({ n: limits.tokens }),
      maxDepthPlugin({ n: limits.depth, flattenFragments: true, ...reported }),
      maxAliasesPlugin({ n: limits.aliases, ...reported }),
      maxDirectivesPlugin({ n: limits.directives, ...reported }),
      // What the document could return, which takes its variables.
      useCostLimit(limits.cost),
      // Errors of documents never reach maskError.
      useErrorCodes,
      useJsonParameters,
    ],
  })
}

export type Graphql = ReturnType<typeof createGraphql>

const useErrorCodes: Plugin = {
  onExecutionResult({ result }) {
    if (result && 'errors' in result) for (const error of result.errors ?? []) withCode(error)
  },
}

/** Refuses what a GET carries as JSON and is none: read as it is, it would pass for a fault of ours. */
const useJsonParameters: Plugin = {
  onRequestParse({ url }) {
    for (const name of ['variables', 'extensions']) {
      const text = url.searchParams.get(name)
      if (text !== null && text !== '' && !isJson(text)) {
        const extensions = { code: 'BAD_USER_INPUT', issues: [{ path: [name], message: 'must be JSON' }] }
        throw new GraphQLError(`${name} must be JSON.`, { extensions: { ...extensions, http: { status: 400 } } })
      }
    }
  },
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
