import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runAs } from './account.ts'
import type { Binaries } from './binaries.ts'
import { EmbeddedError } from './embeddedError.ts'
import type { Home } from './home.ts'
import { codeOf, isServerOf } from './processes.ts'

/** The superuser of the cluster and the name of the database. */
export const owner = 'gavel'

export function dataFolder(home: Home): string {
  return join(home.folder, 'data')
}

/**
 * Makes the cluster if it is not there; returns its password. To be called under the folder's lock. initdb works in a
 * folder aside that is renamed when whole: a killed initdb leaves one that looks initialised and even starts.
 */
export async function ensureCluster(home: Home, binaries: Binaries): Promise<string> {
  const data = dataFolder(home)
  for (const name of await readdir(home.folder)) {
    if (name.startsWith('data.init-'))
      await rm(join(home.folder, name), { recursive: true, force: true, maxRetries: 5 })
  }
  if (existsSync(data)) return await readPassword(home)
  // The server listens on the loopback, where every local user could come as its superuser: hence a password.
  await writeFresh(passwordFile(home), randomBytes(24).toString('base64url'), home)
  const draft = await mkdtemp(`${data}.init-`)
  if (home.account.uid !== undefined) await chown(draft, home.account.uid, home.account.gid ?? home.account.uid)
  await runAs(home.account, binaries.initdb, [
    `--pgdata=${draft}`,
    `--username=${owner}`,
    `--pwfile=${passwordFile(home)}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
  ])
  await rename(draft, data)
  return await readPassword(home)
}

/**
 * Ends what a keeper that was killed has left: its server, if it still runs, is stopped; the pid file of a dead one, or
 * one whose id a stranger has got since, is removed (Postgres itself would refuse to start). To be called under the
 * folder's lock, with no keeper there.
 */
export async function clearLeftServer(home: Home, binaries: Binaries): Promise<void> {
  const server = await readPidFile(home)
  if (server === null) return
  if (isServerOf(server.pid, dataFolder(home))) {
    await runAs(home.account, binaries.pgCtl, ['stop', '-D', dataFolder(home), '-m', 'fast', '-t', '60'])
  }
  await rm(pidFile(home), { force: true })
}

/**
 * Whether the cluster's own server says that it takes connections on the port. Asked before connecting: on a port that
 * was taken, somebody else would answer.
 */
export async function serverIsReady(home: Home, port: number): Promise<boolean> {
  const server = await readPidFile(home)
  return server !== null && server.port === port && server.ready && isServerOf(server.pid, dataFolder(home))
}

/** Writes a file of mode 0600 for the server's account, in place of any older one, whoever that belonged to. */
export async function writeFresh(file: string, text: string, home: Home): Promise<void> {
  await rm(file, { force: true })
  await writeFile(file, text, { mode: 0o600, flag: 'wx' })
  if (home.account.uid !== undefined) await chown(file, home.account.uid, home.account.gid ?? home.account.uid)
}

/** The lines of postmaster.pid (pg_ctl reads the same): 1 the process, 4 the port, 8 the state. */
async function readPidFile(home: Home): Promise<{ pid: number; port: number; ready: boolean } | null> {
  try {
    const lines = (await readFile(pidFile(home), 'utf8')).split('\n')
    return { pid: Math.abs(Number(lines[0])), port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

function pidFile(home: Home): string {
  return join(dataFolder(home), 'postmaster.pid')
}

function passwordFile(home: Home): string {
  return join(home.folder, 'password')
}

/** The superuser's password, from its file of mode 0600. */
export async function readPassword(home: Home): Promise<string> {
  try {
    return await readFile(passwordFile(home), 'utf8')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    throw new EmbeddedError(
      `${passwordFile(home)} is missing: put it back, or move ${dataFolder(home)} away to begin anew`,
    )
  }
}
