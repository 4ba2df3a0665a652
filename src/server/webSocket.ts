import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { GraphQLError } from 'graphql'
import { CloseCode, handleProtocols, makeServer, type Context as SocketContext } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { SignedIn } from '../engine/people.ts'
import type { Logger } from '../log.ts'
import type { Authenticate } from './authenticate.ts'
import { watchDrain } from './drain.ts'
import { formatError, presentError } from './errors.ts'
import type { Graphql } from './graphql.ts'
import { limits } from './limits.ts'
import { originOf } from './origin.ts'
import type { Sessions } from './sessions.ts'

interface Extra {
  socket: WebSocket
  origin: string
  signedIn?: SignedIn
  endSession?: () => void
}

type Parameters = { authorization?: unknown } & Record<string, unknown>

/**
 * GraphQL over WebSocket at /graphql, subprotocol graphql-transport-ws. The key travels as
 * `connectionParams.authorization`; without a good one the socket is closed with 4403. A slow client holds no memory:
 * each message is awaited before the next is made, and one that takes nothing is dropped with 1013.
 */
export function serveWebSocket(options: {
  server: Server
  graphql: Graphql
  authenticate: Authenticate
  sessions: Sessions
  log: Logger
}): { close(): void } {
  const { server, graphql, authenticate, sessions, log } = options
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.frameBytes,
    perMessageDeflate: false,
    handleProtocols,
  })

  const protocol = makeServer<Parameters, Extra>({
    connectionInitWaitTimeout: limits.initWaitMs,
    async onConnect({ connectionParams, extra }) {
      const signedIn = await authenticate(connectionParams?.authorization)
      if (!signedIn || extra.socket.readyState !== extra.socket.OPEN) return false
      extra.signedIn = signedIn
      extra.endSession = sessions.open(signedIn, () => extra.socket.close(CloseCode.Forbidden, 'Forbidden'))
      return true
    },
    onSubscribe: async (context, _id, payload) => {
      try {
        return await operationOf(context, payload)
      } catch (error) {
        return [presentError(error, log)]
      }
    },
    execute: (args) => enveloped(args).execute(args),
    subscribe: (args) => enveloped(args).subscribe(args),
    onNext: (_context, _id, _payload, _args, result) =>
      result.errors ? { data: result.data ?? null, errors: result.errors.map(formatError) } : undefined,
    onError: (_context, _id, _payload, errors) => errors.map((error) => formatError(presentError(error, log))),
    onClose: ({ extra }) => extra.endSession?.(),
  })

  /** Parses and checks an operation: its arguments, or why it is refused. A refusal closes nothing. */
  async function operationOf(
    { extra, subscriptions }: SocketContext<Parameters, Extra>,
    payload: { query: string; operationName?: unknown; variables?: unknown },
  ) {
    if (Object.keys(subscriptions).length > limits.subscriptionsPerSocket) {
      const message = `At most ${limits.subscriptionsPerSocket} operations at once on one socket.`
      return [new GraphQLError(message, { extensions: { code: 'RATE_LIMITED' } })]
    }
    if (!extra.signedIn) throw new Error('an operation came before its socket was acknowledged')
    const envelope = graphql.getEnveloped({ viewer: extra.signedIn, origin: extra.origin } as never)
    const document = envelope.parse(payload.query)
    const errors = envelope.validate(envelope.schema, document) as readonly GraphQLError[]
    if (errors.length > 0) return errors.map((error) => presentError(error, log))
    return {
      schema: envelope.schema,
      operationName: payload.operationName as string | undefined,
      document,
      variableValues: payload.variables as Record<string, unknown> | undefined,
      contextValue: await envelope.contextFactory(),
      rootValue: envelope,
    }
  }

  sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const stopPinging = ping(socket)
    const drain = watchDrain({
      waiting: () => socket.bufferedAmount > 0,
      drop: () => dropSlow(socket),
    })
    socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'))
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        async send(data) {
          await send(socket, data)
          drain.progressed()
        },
        close: (code, reason) => socket.close(code, reason),
        onMessage: (receive) => {
          socket.on('message', (data: Buffer) => {
            receive(data.toString()).catch((error: unknown) => {
              log.error({ err: error }, 'a message of a socket failed')
              socket.close(CloseCode.InternalServerError, 'Internal server error')
            })
          })
        },
      },
      { socket, origin: originOf(request) },
    )
    socket.once('close', (code, reason) => {
      stopPinging()
      drain.stop()
      closed(code, reason.toString()).catch((error: unknown) => log.error({ err: error }, 'a socket did not end well'))
    })
  })

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const status = refusalOf(request)
    if (status) {
      stream.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, stream, head, (socket) => sockets.emit('connection', socket, request))
  })

  return {
    close() {
      for (const socket of sockets.clients) socket.close(1001, 'Going away')
      sockets.close()
    },
  }
}

function enveloped(args: { rootValue?: unknown }) {
  return args.rootValue as ReturnType<Graphql['getEnveloped']>
}

async function send(socket: WebSocket, data: string): Promise<void> {
  if (socket.readyState !== socket.OPEN) return
  await new Promise<void>((resolve, reject) => {
    // A socket that closes while it sends ends its operations by its close, not by an error.
    socket.send(data, (error) => (error && socket.readyState === socket.OPEN ? reject(error) : resolve()))
  })
}

/** "Try again later", which clients retry on. One that does not even take the close is cut. */
function dropSlow(socket: WebSocket): void {
  socket.close(1013, 'Too slow')
  const cut = setTimeout(() => socket.terminate(), limits.closeMs)
  socket.once('close', () => clearTimeout(cut))
}

/** Pings the socket; one that has not answered when the next ping is due is cut. */
function ping(socket: WebSocket): () => void {
  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  const timer = setInterval(() => {
    if (!answered) {
      socket.terminate()
      return
    }
    answered = false
    socket.ping()
  }, limits.pingMs)
  return () => clearInterval(timer)
}

/** The status line for an upgrade that is not ours, or comes from a page of another origin; null when it may pass. */
function refusalOf({ url = '', headers }: IncomingMessage): string | null {
  if (url.split('?', 1)[0] !== '/graphql') return '404 Not Found'
  const { origin, host } = headers
  if (origin === undefined) return null
  return URL.canParse(origin) && new URL(origin).host === host ? null : '403 Forbidden'
}
