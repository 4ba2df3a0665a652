import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { childrenOf, signal } from './processes.ts'

/** The nodes of a run: one that serves and works, one that only works. Each is started again when it has ended. */
export interface Nodes {
  /** `http://127.0.0.1:PORT/graphql` of the node that serves; null while there is none. */
  url(): string | null
  /** The process of a node; null while it is being started. */
  pid(node: number): number | null
  /** Its worker processes. */
  workers(node: number): number[]
  /** Ends a node with a signal and starts another in its place; resolves when that one is ready. */
  replace(node: number, name: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** Resolves when both nodes are ready. */
  ready(): Promise<void>
  /** Ends both with SIGTERM. */
  stop(): Promise<void>
  /** Every address that was listened on. */
  readonly urls: readonly string[]
  /** What no action of ours explains: nodes that ended of themselves, or badly when told to stop. */
  readonly problems: readonly string[]
  /** Starts, and those of them that failed because Postgres was away. */
  readonly starts: { all: number; failed: number }
  /** What their logs say at level error and above, with how often. */
  readonly errors: ReadonlyMap<string, number>
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const commands = [
  ['serve', '--port', '0', '--workers', '2'],
  ['worker', '--workers', '2'],
] as const

const readyMs = 60_000
const stopMs = 30_000
const mostStarts = 20

interface RunningNode {
  process: ChildProcess
  pid: number
  expected: boolean
  /** Resolves with true once it is ready, with false when it ended before. */
  ready: Promise<boolean>
  ended: Promise<unknown>
}

/** Starts both nodes; their logs go into files of `logFolder`. */
export function startNodes(env: NodeJS.ProcessEnv, logFolder: string): Nodes {
  const slots: { current: RunningNode | null; starting: Promise<void> }[] = []
  const urls: string[] = []
  const problems: string[] = []
  const errors = new Map<string, number>()
  const starts = { all: 0, failed: 0 }
  let stopping = false
  let served: { pid: number; url: string } | null = null

  function launch(node: number): RunningNode {
    starts.all += 1
    const [command, ...args] = commands[node] ?? commands[0]
    // A group of its own: Ctrl-C reaches the run alone, which then ends its nodes in order.
    const child = spawn(process.execPath, [main, command, ...args], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    })
    const pid = child.pid ?? 0
    const logFile = createWriteStream(join(logFolder, `${String(starts.all).padStart(3, '0')}-${command}-${pid}.log`))
    const { promise: ready, resolve } = Promise.withResolvers<boolean>()
    if (!child.stderr) throw new Error('a node without stderr')
    createInterface({ input: child.stderr }).on('line', (line) => {
      logFile.write(`${line}\n`)
      const entry = parse(line)
      if (entry.level >= 50) {
        const message = (entry.msg.split('\n')[0] ?? '').replaceAll(/\d+/g, 'N')
        errors.set(message, (errors.get(message) ?? 0) + 1)
      }
      if (entry.msg === 'listening' && entry.url) {
        served = { pid, url: `${entry.url}/graphql` }
        urls.push(entry.url)
        resolve(true)
      }
      if (entry.msg === 'node started' && command === 'worker') resolve(true)
    })
    const running: RunningNode = { process: child, pid, expected: false, ready, ended: once(child, 'exit') }
    child.once('close', () => logFile.end())
    child.once('exit', (code, name) => {
      resolve(false)
      if (served?.pid === pid) served = null
      const slot = slots[node]
      if (slot?.current !== running) return
      slot.current = null
      if (!running.expected) {
        problems.push(`${command} ${pid} ended of itself with ${name ?? code}`)
        if (!stopping) slot.starting = start(node)
      }
    })
    return running
  }

  /** A start may fail while Postgres is away: whoever keeps services running tries again, and so do we. */
  async function start(node: number): Promise<void> {
    const slot = slots[node]
    if (!slot) throw new Error(`there is no node ${node}`)
    for (let attempt = 1; attempt <= mostStarts; attempt += 1) {
      const running = launch(node)
      const late = setTimeout(() => signal(running.pid, 'SIGKILL'), readyMs)
      const isReady = await running.ready
      clearTimeout(late)
      if (isReady) {
        slot.current = running
        return
      }
      starts.failed += 1
      await delay(500)
    }
    problems.push(`node ${node} did not start, ${mostStarts} times`)
  }

  async function end(node: number, name: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const running = slots[node]?.current
    if (!running) return
    running.expected = true
    signal(running.pid, name)
    const late = setTimeout(() => {
      problems.push(`node ${running.pid} did not stop within ${stopMs / 1000} s`)
      signal(running.pid, 'SIGKILL')
    }, stopMs)
    await running.ended
    clearTimeout(late)
    const { exitCode, signalCode } = running.process
    if (name === 'SIGTERM' && signalCode === null && exitCode !== 0) {
      problems.push(`node ${running.pid} was told to stop and ended with ${exitCode}`)
    }
  }

  // Should the run itself be ended by an error, nothing of it stays behind, frozen or not.
  const killAll = () => {
    for (const pid of slots.flatMap((slot) => slot.current?.pid ?? [])) {
      for (const one of [...childrenOf(pid), pid]) signal(one, 'SIGKILL')
    }
  }
  process.on('exit', killAll)
  for (const node of commands.keys()) {
    slots[node] = { current: null, starting: Promise.resolve() }
    slots[node].starting = start(node)
  }

  return {
    url: () => served?.url ?? null,
    pid: (node) => slots[node]?.current?.pid ?? null,
    workers(node) {
      const pid = slots[node]?.current?.pid
      return pid === undefined ? [] : childrenOf(pid)
    },
    async replace(node, name) {
      const slot = slots[node]
      if (!slot) return
      const before = slot.starting
      slot.starting = (async () => {
        await before
        await end(node, name)
        await start(node)
      })()
      await slot.starting
    },
    async ready() {
      for (const slot of slots) await slot.starting
    },
    async stop() {
      stopping = true
      await Promise.allSettled(slots.map((slot) => slot.starting))
      await Promise.all([...commands.keys()].map((node) => end(node, 'SIGTERM')))
      process.off('exit', killAll)
    },
    urls,
    problems,
    starts,
    errors,
  }
}

function parse(line: string): { level: number; msg: string; url?: string } {
  if (!line.startsWith('{')) return { level: 0, msg: line }
  try {
    return JSON.parse(line) as { level: number; msg: string; url?: string }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // Cut short by the death of who wrote it.
    return { level: 0, msg: line }
  }
}
