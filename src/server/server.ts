import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '../config.ts'
import { pendingMigrations } from '../db/migrate.ts'
import { createExportLinks } from '../engine/exportLinks.ts'
import { ensureBuiltInUser } from '../engine/people.ts'
import type { Services } from '../resolvers/context.ts'
import { createAdmission } from './admission.ts'
import { createAuthenticate } from './authenticate.ts'
import { answerCors } from './cors.ts'
import { watchDrain } from './drain.ts'
import { createExports } from './exports.ts'
import { answerGraphiql } from './graphiql.ts'
import { createGraphql } from './graphql.ts'
import { limits } from './limits.ts'
import { originOf } from './origin.ts'
import { answerRateLimited, answerUnauthenticated } from './refusals.ts'
import { createSessions } from './sessions.ts'
import { serveWebSocket } from './webSocket.ts'

export interface RunningServer {
  /** `http://HOST:PORT`, with the port that was taken where the settings say 0. */
  url: string
  /** Ends open sockets and streams, lets requests under way finish, and stops. */
  close(): Promise<void>
}

/**
 * Serves the API. The database is migrated; whoever made the services ends them after `close`. Throws what listening
 * throws, such as EADDRINUSE.
 */
export async function startServer(
  options: Omit<Services, 'config'> & {
    config: Services['config'] & Pick<Config, 'host' | 'port' | 'adminKey' | 'allowOrigins'>
  },
): Promise<RunningServer> {
  const { config, db, log } = options
  if (config.adminKey !== null) await ensureBuiltInUser(db)
  const authenticate = createAuthenticate({ db, adminKey: config.adminKey })
  const admission = createAdmission()
  const sessions = createSessions({ db, log })
  const exportLinks = createExportLinks({ db, adminKey: config.adminKey })
  const answerExport = createExports({ db, exportLinks, sessions })
  const graphql = createGraphql({ ...options, exportLinks })
  let readiness: { at: number; ready: Promise<boolean> } | null = null

  async function answerGraphql(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const viewer = await authenticate(request.headers.authorization)
    if (!viewer) {
      answerUnauthenticated(response)
      return
    }
    const wait = admission.operation(viewer)
    if (wait !== null) {
      answerRateLimited(response, { status: 429, message: 'This key asks too often.', seconds: wait })
      return
    }
    const leave = admission.openFor(viewer)
    if (!leave) {
      answerRateLimited(response, { status: 429, message: 'This key has too much open at once.', seconds: 1 })
      return
    }
    const end = sessions.open(
      viewer,
      () => response.destroy(),
      // A server that stops lets an answer finish: what a mutation did is to be heard. Streams have no end of their own.
      () => isStream(response) && response.destroy(),
    )
    const drain = watchDrain({
      // Streams alone: another answer is written at once and tells nothing of its progress.
      waiting: () => isStream(response) && response.writableNeedDrain,
      drop: () => response.destroy(),
    })
    response.on('drain', () => drain.progressed())
    const finish = () => {
      leave()
      end()
      drain.stop()
    }
    if (response.closed) finish()
    else response.once('close', finish)
    // With a header of ours the response remembers those that it is sent with: isStream reads one of them.
    response.setHeader('cache-control', 'no-store')
    await graphql(request, response, { viewer, origin: originOf(request) })
  }

  /** The database answers and has this version's tables. */
  async function isReady(): Promise<boolean> {
    try {
      return (await pendingMigrations(db)).length === 0
    } catch (error) {
      log.warn({ err: error }, 'the database does not answer')
      return false
    }
  }

  /** Asked of the database once a second at the most, however many ask: nobody has to sign in for this. */
  async function answerReady(response: ServerResponse): Promise<void> {
    if (readiness === null || Date.now() - readiness.at >= limits.readyMs) {
      readiness = { at: Date.now(), ready: isReady() }
    }
    const ready = await readiness.ready
    answerJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'unavailable' })
  }

  const routes: Record<string, (request: IncomingMessage, response: ServerResponse) => Promise<void> | void> = {
    '/graphql': answerGraphql,
    '/graphiql': async (_request, response) => await answerGraphiql(response),
    '/health/live': (_request, response) => answerJson(response, 200, { status: 'live' }),
    '/health/ready': async (_request, response) => await answerReady(response),
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?', 1)
    if (answerCors(request, response, config.allowOrigins)) return
    // Whoever looks after this node is always told how it is.
    if (!path.startsWith('/health/') && !isAdmitted(request, response)) return
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined
    if (route) await route(request, response)
    else if (path.startsWith('/exports/')) await answerExport(request, response)
    else answerJson(response, 404, { status: 'not found' })
  }

  /** False where the request is refused. */
  function isAdmitted(request: IncomingMessage, response: ServerResponse): boolean {
    const wait = admission.request(request)
    if (wait !== null) {
      answerRateLimited(response, { status: 429, message: 'This address asks too often.', seconds: wait })
      return false
    }
    const leave = admission.open()
    if (!leave) {
      answerRateLimited(response, { status: 503, message: 'This node has too much open at once.', seconds: 1 })
      return false
    }
    response.once('close', leave)
    return true
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'a request failed')
      if (!response.headersSent) answerJson(response, 500, { status: 'failed' })
      else response.destroy()
    })
  })
  const sockets = serveWebSocket({
    server,
    graphql,
    authenticate,
    admission,
    sessions,
    allowOrigins: config.allowOrigins,
    log,
  })

  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(config.port, config.host, resolve)
    })
  } catch (error) {
    // Their timers would keep a process alive that has nothing to serve.
    sockets.close()
    sessions.stop()
    await graphql.dispose()
    throw error
  }
  const url = urlOf(server.address() as AddressInfo)
  log.info({ url }, 'listening')

  return {
    url,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      sockets.close()
      sessions.stop()
      server.closeIdleConnections()
      const deadline = setTimeout(() => server.closeAllConnections(), limits.closeMs)
      await closed
      clearTimeout(deadline)
      await graphql.dispose()
    },
  }
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

function isStream(response: ServerResponse): boolean {
  return String(response.getHeader('content-type')).startsWith('text/event-stream')
}

function urlOf({ address, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`
}
