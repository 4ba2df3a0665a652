import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runAs } from '../../src/db/embedded/account.ts'
import { findBinaries } from '../../src/db/embedded/binaries.ts'
import { dataFolder, ensureCluster, owner } from '../../src/db/embedded/cluster.ts'
import { prepareHome } from '../../src/db/embedded/home.ts'

/** A Postgres server of a test's own, that it may stop and start again on the same port. */
export interface OwnPostgres {
  /** Of the database `postgres`. */
  url: string
  start(): Promise<void>
  /** As a crash would: connections are cut, and the next start recovers. */
  crash(): Promise<void>
  /** Stops it and removes its folder. */
  remove(): Promise<void>
}

/** Makes the server and starts it. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'gavel-own-postgres-'))
  const home = await prepareHome(folder)
  const binaries = await findBinaries(home)
  const password = await ensureCluster(home, binaries)
  const port = await freePort()
  const pgCtl = async (...args: string[]) =>
    await runAs(home.account, binaries.pgCtl, ['-D', dataFolder(home), '-w', ...args])
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=100`
  const start = async () => {
    // Its output goes to a file: a pipe would stay open for as long as the server runs.
    await pgCtl('start', '-l', join(dataFolder(home), 'server.log'), '-o', options)
  }
  const crash = async () => {
    await pgCtl('stop', '-m', 'immediate')
  }
  await start()
  return {
    url: `postgres://${owner}:${password}@127.0.0.1:${port}/postgres`,
    start,
    crash,
    async remove() {
      await crash()
      await rm(folder, { recursive: true, maxRetries: 5 })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
