import { closeSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Logger } from '../../log.ts'
import { findBinaries } from './binaries.ts'
import { clearLeftServer, ensureCluster, owner, readPassword, serverIsReady, writeFresh } from './cluster.ts'
import { EmbeddedError } from './embeddedError.ts'
import { type Home, prepareHome } from './home.ts'
import { hasUsers, keeperIsOpen, logFile, type Seat, startKeeper, takeSeat, untilKeeperClosed } from './keeper.ts'
import { withLock } from './lock.ts'
import { codeOf } from './processes.ts'

/** Milliseconds. A first start is under 2 s; recovery after a crash of a large database can take much longer. */
const patience = { lock: 180_000, ready: 120_000, stop: 60_000 }

/** What Postgres says when another has its port, and when backends of a killed server are still there. */
const portTaken = /could not bind|could not create any TCP\/IP sockets|Address already in use/
const notGoneYet = /pre-existing shared memory block/

export interface EmbeddedServer {
  /** `postgres://` with the password, on 127.0.0.1, of the database `gavel`. */
  url: string
  /** Gives up this process's use of the server. When it was the last, resolves once the server has stopped. */
  close(): Promise<void>
}

/**
 * Uses the embedded Postgres of a data folder: makes it, starts it or joins it. Any number of processes may use it at
 * once; it belongs to none of them and stops by itself when the last has gone, however it went. Throws EmbeddedError.
 */
export async function openEmbedded(options: { dataDir: string; log: Logger }): Promise<EmbeddedServer> {
  if (process.platform === 'win32')
    throw new EmbeddedError('there is no embedded Postgres on Windows: set DATABASE_URL')
  const home = await prepareHome(options.dataDir)
  const { seat, url } = await withLock(home.folder, patience.lock, () => joinOrStart(home, options.log))
  let open = true
  return {
    url,
    async close() {
      if (!open) return
      open = false
      closeSync(seat)
      await withLock(home.folder, patience.lock, async () => {
        if (!hasUsers(home)) await untilStopped(home)
      })
    },
  }
}

async function joinOrStart(home: Home, log: Logger): Promise<{ seat: Seat; url: string }> {
  let trouble = ''
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    const joined = takeSeat(home)
    const otherPort = portTaken.test(trouble)
    const { seat, url } = joined === null ? await start(home, otherPort) : { seat: joined, url: await knownUrl(home) }
    try {
      if (await becomesReady(home, url)) {
        const how = joined === null ? 'started' : 'joined'
        log.info({ folder: home.folder, port: Number(new URL(url).port) }, `embedded Postgres ${how}`)
        return { seat, url }
      }
    } catch (error) {
      closeSync(seat)
      throw error
    }
    closeSync(seat)
    trouble = await lastWords(home)
    if (joined === null && !portTaken.test(trouble) && !notGoneYet.test(trouble)) break
    await delay(100)
  }
  throw new EmbeddedError(`the embedded Postgres in ${home.folder} does not start: ${trouble}`)
}

async function start(home: Home, otherPort: boolean): Promise<{ seat: Seat; url: string }> {
  await untilKeeperClosed(home, patience.stop)
  const binaries = await findBinaries(home)
  const password = await ensureCluster(home, binaries)
  await clearLeftServer(home, binaries)
  // The port it had last: users that a killed keeper has left behind find it again.
  const port = (otherPort ? null : await lastPort(home)) ?? (await freePort())
  await writeFresh(portFile(home), String(port), home)
  await rm(logFile(home), { force: true })
  return { seat: await startKeeper(home, binaries, port), url: urlOf(port, password) }
}

async function knownUrl(home: Home): Promise<string> {
  return urlOf(Number(await readFile(portFile(home), 'utf8')), await readPassword(home))
}

function urlOf(port: number, password: string): string {
  return `postgres://${owner}:${password}@127.0.0.1:${port}/gavel`
}

/** Waits until the database answers, and makes it if need be; false when the keeper gave up its server. */
async function becomesReady(home: Home, url: string): Promise<boolean> {
  const maintenance = new URL(url)
  maintenance.pathname = '/postgres'
  const deadline = Date.now() + patience.ready
  while (Date.now() < deadline) {
    if (!keeperIsOpen(home)) return false
    if ((await serverIsReady(home, Number(maintenance.port))) && (await ensureDatabase(maintenance.href))) return true
    await delay(20)
  }
  throw new EmbeddedError(`the embedded Postgres in ${home.folder} does not answer: ${await lastWords(home)}`)
}

/** False while the server does not take connections yet. */
async function ensureDatabase(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  // A connection that breaks while it is idle tells so here, and its next query fails.
  client.on('error', () => {})
  try {
    await client.connect()
    const found = await client.query("select from pg_database where datname = 'gavel'")
    if (found.rowCount === 0) await client.query('create database gavel')
    return true
  } catch (error) {
    // It was killed at this moment (57P01 to 57P03: going down or coming up again): its keeper sees to it.
    if (['ECONNREFUSED', 'ECONNRESET', '57P01', '57P02', '57P03'].includes(codeOf(error))) return false
    if (error instanceof Error && error.message === 'Connection terminated unexpectedly') return false
    throw error
  } finally {
    await client.end()
  }
}

async function untilStopped(home: Home): Promise<void> {
  const deadline = Date.now() + patience.stop
  while (keeperIsOpen(home)) {
    if (Date.now() > deadline) throw new EmbeddedError(`the embedded Postgres in ${home.folder} does not stop`)
    await delay(10)
  }
  await untilKeeperClosed(home, patience.stop)
}

async function lastWords(home: Home): Promise<string> {
  const lines = (await readFile(logFile(home), 'utf8')).trim().split('\n')
  return lines.slice(-6).join(' | ')
}

function portFile(home: Home): string {
  return join(home.folder, 'port')
}

async function lastPort(home: Home): Promise<number | null> {
  try {
    return Number(await readFile(portFile(home), 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

/** Postgres knows no port 0. Between this and its own bind another may take the port: the next attempt has another. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}
