import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { isConnectionLoss } from '../../src/db/connectionLoss.ts'
import { codeOf } from '../../src/db/embedded/processes.ts'
import { openEmbedded } from '../../src/db/embedded/server.ts'
import type { Logger } from '../../src/log.ts'
import { signal } from './processes.ts'

/** An embedded Postgres of the run's own that can be hurt; its keeper starts it again on the same URL. */
export interface ChaosPostgres {
  url: string
  /**
   * Kills the server's first process, or one of its backends, after which it restarts all the others itself; false
   * when it is not there.
   */
  kill(victim: 'its server' | 'a backend'): Promise<boolean>
  /** Ends every connection but the one that does so. */
  cutConnections(): Promise<void>
  /** Rows of a query, asked again while the server is coming up. */
  query<Row>(text: string): Promise<Row[]>
  close(): Promise<void>
}

const patienceMs = 30_000

export async function openPostgres(dataDir: string, log: Logger): Promise<ChaosPostgres> {
  const server = await openEmbedded({ dataDir, log })
  const [settings] = await query<{ data_directory: string }>(server.url, 'show data_directory')
  const pidFile = join(settings?.data_directory ?? '', 'postmaster.pid')
  return {
    url: server.url,
    query: async (text) => await query(server.url, text),
    async kill(victim) {
      const pid = victim === 'its server' ? await postmaster() : await backend()
      return pid !== null && signal(pid, 'SIGKILL')
    },
    async cutConnections() {
      await query(
        server.url,
        "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
      )
    },
    close: async () => await server.close(),
  }

  async function postmaster(): Promise<number | null> {
    try {
      return Number.parseInt(await readFile(pidFile, 'utf8'), 10)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null
      throw error
    }
  }

  async function backend(): Promise<number> {
    const [row] = await query<{ pid: number }>(
      server.url,
      "select pid from pg_stat_activity where backend_type = 'client backend' order by pid = pg_backend_pid(), backend_start limit 1",
    )
    if (!row) throw new Error('a server without the backend that was asked')
    return row.pid
  }
}

async function query<Row>(url: string, text: string): Promise<Row[]> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: patienceMs })
    // A connection that breaks while it is idle tells so here, and its next query fails.
    client.on('error', () => {})
    try {
      await client.connect()
      return (await client.query(text)).rows as Row[]
    } catch (error) {
      if (!isConnectionLoss(error) || Date.now() > deadline) throw error
    } finally {
      await client.end()
    }
    await delay(100)
  }
}
