import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { GraphQLError } from 'graphql'
import { CloseCode, handleProtocols, makeServer, type Context as SocketContext } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { SignedIn } from '../engine/people.ts'
import type { Logger } from '../log.ts'
import type { Admission } from './admission.ts'
import type { Authenticate } from './authenticate.ts'
import { isAllowedOrigin } from './cors.ts'
import { watchDrain } from './drain.ts'
import { formatError, presentError } from './errors.ts'
import type { Graphql } from './graphql.ts'
import { limits } from './limits.ts'
import { originOf } from './origin.ts'
import { createRate } from './rate.ts'
import { rateLimited } from './refusals.ts'
import type { Sessions } from './sessions.ts'

interface Extra {
  socket: WebSocket
  origin: string
  signedIn?: SignedIn
  /** What ends what is counted and watched on behalf of the key. */
  ends: (() => void)[]
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
  admission: Admission
  sessions: Sessions
  allowOrigins: readonly string[]
  log: Logger
}): { close(): void } {
  const { server, graphql, authenticate, admission, sessions, allowOrigins, log } = options
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
      const leave = admission.openFor(signedIn)
      if (!leave) {
        extra.socket.close(1013, 'Too much open at once')
        return false
      }
      extra.signedIn = signedIn
      const end = sessions.open(signedIn, () => extra.socket.close(CloseCode.Forbidden, 'Forbidden'))
      extra.ends.push(leave, end)
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
    onClose({ extra }) {
      for (const end of extra.ends) end()
    },
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
    const wait = admission.operation(extra.signedIn)
    if (wait !== null) return [new GraphQLError('This key asks too often.', { extensions: rateLimited(wait) })]
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
    const takeMessage = createRate(limits.messagesPerSocket)
    let answering = 0
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
            if (socket.readyState !== socket.OPEN) return
            if (takeMessage('') !== null) {
              socket.close(1008, 'Too many messages')
              return
            }
            answering += 1
            // One that sends without taking its answers is not read on: what waits for it has an end.
            if (answering >= limits.messagesAtOnce) socket.pause()
            receive(data.toString())
              .catch((error: unknown) => {
                log.error({ err: error }, 'a message of a socket failed')
                socket.close(CloseCode.InternalServerError, 'Internal server error')
              })
              .finally(() => {
                answering -= 1
                if (socket.isPaused && answering < limits.messagesAtOnce) socket.resume()
              })
          })
        },
      },
      { socket, origin: originOf(request), ends: [] },
    )
    socket.once('close', (code, reason) => {
      stopPinging()
      drain.stop()
      closed(code, reason.toString()).catch((error: unknown) => log.error({ err: error }, 'a socket did not end well'))
    })
  })

  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    // Node listens to it no longer, and a reset that nobody hears ends the process.
    stream.on('error', () => stream.destroy())
    const refuse = (status: string) => {
      stream.once('finish', () => stream.destroy())
      stream.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    }
    const wait = admission.request(request)
    if (wait !== null) {
      refuse(`429 Too Many Requests\r\nretry-after: ${wait}`)
      return
    }
    if (request.url?.split('?', 1)[0] !== '/graphql') {
      refuse('404 Not Found')
      return
    }
    if (!isAllowedOrigin(request, allowOrigins)) {
      refuse('403 Forbidden')
      return
    }
    const leave = admission.open()
    if (!leave) {
      refuse('503 Service Unavailable\r\nretry-after: 1')
      return
    }
    stream.once('close', leave)
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
