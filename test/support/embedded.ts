import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { expect, vi } from 'vitest'
import { type Account, serverAccount } from '../../src/db/embedded/account.ts'
import { keeperIsOpen, untilKeeperClosed } from '../../src/db/embedded/keeper.ts'
import { codeOf, startOf } from '../../src/db/embedded/processes.ts'

const program = fileURLToPath(new URL('embedded-user.ts', import.meta.url))

/** A process that uses an embedded server. */
export class EmbeddedUser {
  readonly process: ChildProcess
  output = ''
  log = ''

  /** `account`: whose process it is; ours without. Its locale is one that no machine has. */
  constructor(dataDir: string, account: Account = {}) {
    const env = { PATH: process.env['PATH'], LC_ALL: 'tlh_QO.UTF-8', LANG: 'tlh_QO.UTF-8' }
    // In a group of its own, as a terminal gives to each command: what Ctrl-C signals.
    this.process = spawn(process.execPath, [program, dataDir], { ...account, env, detached: true })
    this.process.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    this.process.stderr?.on('data', (chunk: Buffer) => (this.log += chunk.toString()))
  }

  /** The URL, once the server is there. */
  async url(): Promise<string> {
    await vi.waitUntil(() => this.output.includes('\n') || this.process.exitCode !== null, {
      timeout: 25_000,
      interval: 5,
    })
    if (this.process.exitCode !== null) throw new Error(`the user ended: ${this.log}`)
    return this.output.trim()
  }

  async say(word: 'close' | 'exit'): Promise<void> {
    this.process.stdin?.write(`${word}\n`)
    await this.ended()
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    process.kill(-(this.process.pid ?? Number.NaN), signal)
    await this.ended()
  }

  async ended(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit')
  }
}

/** A data folder of one's own with its users; `clear` in afterEach. */
export async function embeddedFolder() {
  const dataDir = await mkdtemp(join(tmpdir(), 'gavel-embedded-'))
  const home = { folder: join(dataDir, 'postgres'), account: await serverAccount(null) }
  const users: EmbeddedUser[] = []
  const pidFile = join(home.folder, 'data', 'postmaster.pid')
  return {
    dataDir,
    home,
    pidFile,
    user(account?: Account): EmbeddedUser {
      const user = new EmbeddedUser(dataDir, account)
      users.push(user)
      return user
    },
    serverPid(): number {
      return Number.parseInt(readFileSync(pidFile, 'utf8'), 10)
    },
    serverLog(): string {
      return readFileSync(join(home.folder, 'server.log'), 'utf8')
    },
    /** Resolves once neither the server nor its keeper is there. */
    async stopped(): Promise<void> {
      await expect.poll(() => keeperIsOpen(home), { timeout: 20_000 }).toBe(false)
      await untilKeeperClosed(home, 20_000)
      expect(existsSync(pidFile)).toBe(false)
    },
    async clear(): Promise<void> {
      for (const user of users) await user.kill('SIGKILL')
      await expect.poll(() => keeperIsOpen(home), { timeout: 20_000 }).toBe(false)
      await untilKeeperClosed(home, 20_000)
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url)
  // Told of a broken connection; the query fails then.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

/** The processes of the group that a process belongs to: itself, its relatives, with their parents. */
export function groupOf(pid: number): { leader: number; members: { pid: number; parent: number }[] } {
  const all = processes()
  const leader = all.find((each) => each.pid === pid)?.group ?? Number.NaN
  return { leader, members: all.filter((each) => each.group === leader) }
}

export function gone(pid: number): boolean {
  return startOf(pid) === null
}

/** From /proc where there is one: a bare Debian has no ps. */
function processes(): { pid: number; parent: number; group: number }[] {
  const lines =
    process.platform === 'linux'
      ? readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? statLine(Number(name)) : []))
      : execFileSync('ps', ['-A', '-o', 'pid=,ppid=,pgid='], { encoding: 'utf8' }).split('\n')
  return lines.map((line) => {
    const [pid = Number.NaN, parent = Number.NaN, group = Number.NaN] = line.trim().split(/\s+/).map(Number)
    return { pid, parent, group }
  })
}

function statLine(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [, parent = '', group = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return [`${pid} ${parent} ${group}`]
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(codeOf(error))) return []
    throw error
  }
}
