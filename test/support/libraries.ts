import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { cacheExchange, createClient as createUrql, fetchExchange, subscriptionExchange } from '@urql/core'
import { OperationTypeNode } from 'graphql'
import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

// oxlint-disable-next-line typescript/no-explicit-any -- what an answer holds is what its test says
type Data = any

export interface Sink {
  next(data: Data): void
  /** The connection is gone, or the operation was refused. */
  error(error: unknown): void
  complete(): void
}

/** A GraphQL library as its users set it up, reduced to what a test does with it. */
export interface Library {
  /** The data of a mutation; throws where it has errors. */
  mutate(query: string, variables: Record<string, unknown>): Promise<Data>
  subscribe(query: string, variables: Record<string, unknown>, sink: Sink): void
  close(): Promise<void>
}

/** `http`: the API's address for mutations; `ws`: for subscriptions. */
interface Address {
  http: string
  ws: string
  key: string
}

/** The graphql-ws client alone, for everything. It connects again by itself, and sends its variables anew. */
export function graphqlWs({ ws, key }: Address): Library {
  const sockets = socketsOf(ws, key, Infinity)
  return {
    async mutate(query, variables) {
      const { value } = await sockets.iterate({ query, variables }).next()
      if (value?.errors) throw new AggregateError(value.errors)
      return value?.data
    },
    subscribe(query, variables, sink) {
      sockets.subscribe(
        { query, variables },
        {
          next: ({ data, errors }) => (errors ? sink.error(errors) : sink.next(data)),
          error: (error) => sink.error(error),
          complete: () => sink.complete(),
        },
      )
    },
    close: async () => sockets.dispose(),
  }
}

/** Apollo Client: HttpLink, and GraphQLWsLink for subscriptions. */
export function apollo({ http, ws, key }: Address): Library {
  const sockets = socketsOf(ws, key, 0)
  const client = new ApolloClient({
    // Without the members of the interface `Error` its fragments match nothing here.
    cache: new InMemoryCache({ possibleTypes: { Error: ['ConflictError', 'InvalidInputError', 'NotFoundError'] } }),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(sockets),
      new HttpLink({ uri: http, headers: { authorization: `Bearer ${key}` } }),
    ),
  })
  return {
    mutate: async (query, variables) => (await client.mutate({ mutation: gql(query), variables })).data,
    subscribe(query, variables, sink) {
      let failed = false
      client.subscribe({ query: gql(query), variables, fetchPolicy: 'no-cache' }).subscribe({
        next: ({ data, error }) => {
          if (!error) return sink.next(data)
          failed = true
          sink.error(error)
        },
        error: (error) => sink.error(error),
        complete: () => {
          if (!failed) sink.complete()
        },
      })
    },
    async close() {
      client.stop()
      await sockets.dispose()
    },
  }
}

/** urql: fetchExchange, and subscriptionExchange over graphql-ws. */
export function urql({ http, ws, key }: Address): Library {
  const sockets = socketsOf(ws, key, 0)
  const client = createUrql({
    url: http,
    preferGetMethod: false,
    fetchOptions: { headers: { authorization: `Bearer ${key}` } },
    exchanges: [
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: sockets.subscribe(
              { query, variables: variables as Record<string, unknown> },
              { ...sink, next: ({ data = null, errors }) => sink.next(errors ? { data, errors } : { data }) },
            ),
          }),
        }),
      }),
    ],
  })
  return {
    async mutate(query, variables) {
      const { data, error } = await client.mutation(query, variables).toPromise()
      if (error) throw error
      return data
    },
    subscribe(query, variables, sink) {
      // A copy: what is written into the variables later is no part of this operation. The end of the stream comes as
      // the last result once more, with `hasNext` false.
      client.subscription(query, { ...variables }).subscribe(({ data, error, hasNext }) => {
        if (error) sink.error(error)
        else if (hasNext) sink.next(data)
        else sink.complete()
      })
    },
    close: async () => sockets.dispose(),
  }
}

function socketsOf(url: string, key: string, retryAttempts: number): Client {
  return createClient({
    url,
    webSocketImpl: WebSocket,
    retryAttempts,
    connectionParams: { authorization: `Bearer ${key}` },
  })
}
