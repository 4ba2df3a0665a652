import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { type GavelClient, openClient } from './gavelClient.ts'

const command = fileURLToPath(new URL('../../bin/gavel.mjs', import.meta.url))

export const adminKey = 'an-admin-key-for-tests'

/** How a command ended and what it wrote. */
export interface Ended {
  /** null: it was ended by `signal`. */
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** A `gavel` process. */
export interface GavelProcess {
  pid: number
  /** What it has written so far. */
  readonly stdout: string
  readonly stderr: string
  kill(signal: NodeJS.Signals): void
  /** Closes our end of its stdout, as `head` does. */
  closeOutput(): void
  readonly ended: Promise<Ended>
}

/** A `gavel serve` that listens, and a client with the admin's key. */
export interface GavelNode extends GavelClient {
  process: GavelProcess
  /** `http://127.0.0.1:PORT` */
  url: string
  /** A client with another key; null: with none. */
  as(key: string | null): GavelClient
}

/** A place to run `gavel` commands in: a database, a folder and settings of their own. */
export interface Gavel extends TestDatabase {
  /** The working folder of every command. */
  folder: string
  csvDir: string
  start(args: readonly string[], env?: Record<string, string>): GavelProcess
  run(args: readonly string[], env?: Record<string, string>): Promise<Ended>
  serve(env?: Record<string, string>): Promise<GavelNode>
  /** Ends what still runs, drops the database and removes the folder. */
  close(): Promise<void>
}

/** `sites`: the sample sites that may be scraped although they are on this machine. */
export async function openGavel(sites: readonly { host: string }[], env: Record<string, string> = {}): Promise<Gavel> {
  const database = await createTestDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'gavel-e2e-'))
  const csvDir = join(folder, 'csv')
  const running = new Set<GavelProcess>()
  const clients: GavelClient[] = []
  const settings = {
    DATABASE_URL: database.url,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'info',
    GAVEL_DATA_DIR: join(folder, 'data'),
    GAVEL_CSV_DIR: csvDir,
    GAVEL_WORKERS: '1',
    GAVEL_ADMIN_KEY: adminKey,
    GAVEL_ALLOW_PRIVATE_HOSTS: sites.map(({ host }) => host).join(','),
    GAVEL_HOST_CONCURRENCY: '0',
    GAVEL_HOST_RPS: '0',
    GAVEL_PLATFORM_CONCURRENCY: '0',
    GAVEL_PLATFORM_RPS: '0',
    GAVEL_RETRY_DELAYS: '0',
    ...env,
  }

  function start(args: readonly string[], more: Record<string, string> = {}): GavelProcess {
    const child = spawn(process.execPath, [command, ...args], {
      cwd: folder,
      env: { ...process.env, ...settings, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const started = watch(child)
    running.add(started)
    void started.ended.then(() => running.delete(started))
    return started
  }

  return {
    ...database,
    folder,
    csvDir,
    start,
    run: (args, more) => start(args, more).ended,
    async serve(more) {
      const served = start(['serve'], more)
      const url = await listening(served)
      const as = (key: string | null): GavelClient => {
        const client = openClient(`${url}/graphql`, key)
        clients.push(client)
        return client
      }
      return { ...as(adminKey), process: served, url, as }
    },
    async close() {
      for (const client of clients) await client.close()
      await Promise.all([...running].map(stop))
      await database.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function watch(child: ChildProcess): GavelProcess {
  const { promise: ended, resolve, reject } = Promise.withResolvers<Ended>()
  const written = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (written.stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text
    if (process.env['DEBUGX']) process.stdout.write(text)
  })
  child.once('error', reject)
  child.once('close', (code, signal) => resolve({ code, signal, ...written }))
  return {
    pid: child.pid ?? -1,
    get stdout() {
      return written.stdout
    },
    get stderr() {
      return written.stderr
    },
    kill: (signal) => child.kill(signal),
    closeOutput: () => child.stdout?.destroy(),
    ended,
  }
}

/** The address of its `listening` line. Throws with its last words when it ends before that. */
async function listening(served: GavelProcess): Promise<string> {
  const over = served.ended.then(({ code, stderr }) => {
    throw new Error(`gavel serve ended with ${code}: ${stderr.slice(-2000)}`)
  })
  for (;;) {
    const url = /"msg":"listening".*?"url":"([^"]+)"|"url":"([^"]+)".*?"msg":"listening"/.exec(served.stderr)
    if (url) {
      over.catch(() => {})
      return url[1] ?? url[2] ?? ''
    }
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 20))])
  }
}

/** Asks it to end; kills it when it takes longer than 15 s. */
async function stop(one: GavelProcess): Promise<void> {
  one.kill('SIGTERM')
  const deadline = setTimeout(() => one.kill('SIGKILL'), 15_000)
  await one.ended
  clearTimeout(deadline)
}
