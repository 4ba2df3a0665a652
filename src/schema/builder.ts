import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import DataloaderPlugin from '@pothos/plugin-dataloader'
import RelayPlugin from '@pothos/plugin-relay'
import ScopeAuthPlugin from '@pothos/plugin-scope-auth'
import SimpleObjectsPlugin from '@pothos/plugin-simple-objects'
import type { Context } from '../resolvers/context.ts'
import { decodeId, encodeId } from '../resolvers/globalIds.ts'
import { badUserInput, forbidden, unauthenticated } from '../resolvers/refusals.ts'

export interface SchemaTypes {
  Context: Context
  DefaultFieldNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    Date: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    Decimal: { Input: string; Output: string }
    JSON: { Input: unknown; Output: unknown }
    URL: { Input: string; Output: string }
  }
  AuthScopes: { signedIn: boolean; operator: boolean; admin: boolean }
}

/** More ids than this are refused by `nodes`. */
const maxNodes = 100

/**
 * Wiring only: the plugins and what they are told. What things cost is counted by src/server/costLimit.ts before
 * anything runs, so that subscriptions are judged too; a field costs nothing unless it says so.
 */
export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [RelayPlugin, ScopeAuthPlugin, SimpleObjectsPlugin, DataloaderPlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ viewer }) => ({
      signedIn: viewer !== null,
      operator: viewer !== null && viewer.user.role !== 'VIEWER',
      admin: viewer?.user.role === 'ADMIN',
    }),
    unauthorizedError: (_parent, { viewer }, info) =>
      viewer === null ? unauthenticated() : forbidden(`${info.parentType.name}.${info.fieldName} takes another role.`),
  },
  complexity: { disabled: true, fieldComplexity: () => ({ field: 0, multiplier: 1 }) },
  relay: {
    encodeGlobalID: (typename, key) => encodeId(typename, key),
    // What is no id names a state that is not there: null, as for any id that leads nowhere.
    decodeGlobalID: (id) => decodeId(id) ?? { typename: 'State', id: '' },
    nodeTypeOptions: { description: 'Anything that has a global id and can be read again by it.' },
    idFieldOptions: { description: 'The global id: opaque, stable, and unique among all types.' },
    nodeQueryOptions: {
      description: 'Anything by its global id; null when it is not there or may not be seen.',
      args: { id: { description: 'A global id.' } },
      complexity: { field: 1, multiplier: 1 },
    },
    nodesQueryOptions: {
      description: `Several things by their global ids, in that order, null for each that is not there; at most ${maxNodes}.`,
      args: { ids: { description: `Global ids, at most ${maxNodes}.` } },
      complexity: ({ ids }) => ({ field: ids.length, multiplier: ids.length }),
      resolve: async (_root, { ids }, _context, _info, load) => {
        if (ids.length > maxNodes) {
          throw badUserInput([{ path: ['ids'], message: `must be at most ${maxNodes}` }])
        }
        return await load(ids)
      },
    },
    pageInfoTypeOptions: { description: 'Where a page stands in its list (Relay cursor connections).' },
    hasNextPageFieldOptions: { description: 'Whether there are items after this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether there are items before this page.' },
    startCursorFieldOptions: { description: 'The cursor of the first item; null on an empty page.' },
    endCursorFieldOptions: { description: 'The cursor of the last item; null on an empty page.' },
  },
})

builder.queryType({ description: 'Reading. Every query takes an API key.', authScopes: { signedIn: true } })
builder.mutationType({
  description:
    'Writing. Each answers a union of what it made and why it was refused: select `... on Error { message }` and tolerate members you do not know.',
  authScopes: { signedIn: true },
})
builder.subscriptionType({
  description: 'Watching, over WebSocket (graphql-transport-ws) or server-sent events, at the same address.',
  authScopes: { signedIn: true },
})
