import { type ChildProcess, fork } from 'node:child_process'
import { rmSync } from 'node:fs'
import type { Logger } from '../log.ts'
import { type RunOutcome, type ToChild, toParent } from './protocol.ts'
import { clearFolder, folderEnv, makeWorkerFolder } from './workerFolder.ts'

export type ChildState = 'STARTING' | 'IDLE' | 'BUSY' | 'GONE'

/** How a run left the child: with its own word, or without one. */
export type ChildEnd =
  | { kind: 'done'; outcome: RunOutcome }
  /** The attempt's time was up and the process was killed. */
  | { kind: 'timeout' }
  /** The signal aborted and the process was killed. */
  | { kind: 'aborted' }
  /** The process died or hung; the message tells how, with the end of its stderr. */
  | { kind: 'lost'; message: string }

/** One child process as its parent sees it. */
export interface Child {
  readonly pid: number
  /** GONE as soon as the process has ended. */
  readonly state: ChildState
  readonly jobsDone: number
  readonly rssBytes: number
  /** Resolves once it can take a run; rejects when it dies or is silent before. */
  readonly ready: Promise<void>
  /** Resolves when the process is gone, with all it has started and its folder; with how it went. */
  readonly gone: Promise<string>
  /** Gives it a run. Whatever ends the run early kills the process with everything it has started. */
  run(executionId: string, options: { deadline: number; signal: AbortSignal }): Promise<ChildEnd>
  /** Lets an idle process go; kills a busy one. Resolves when it is gone. */
  stop(): Promise<void>
}

export interface ChildOptions {
  entry: URL
  env: NodeJS.ProcessEnv
  /** How long it may take to be ready, and how long it may be silent. */
  readyMs: number
  silentMs: number
  log: Logger
}

/** Between SIGTERM and SIGKILL. */
const graceMs = 400
const stderrTail = 4_000

/**
 * Starts a child in a process group and with a temporary folder of its own, so that a kill takes everything with it
 * that it has started and written. Heartbeats are watched all the time: an event loop that hangs is a dead worker.
 * Throws when the folder or the process cannot be made.
 */
export function startChild({ entry, env, readyMs, silentMs, log }: ChildOptions): Child {
  const folder = makeWorkerFolder()
  const child = forkIn(folder, entry, env)
  const pid = child.pid ?? 0
  let state: ChildState = 'STARTING'
  let jobsDone = 0
  let rssBytes = 0
  let tail = ''
  let run = null as { executionId: string; end: (end: ChildEnd) => void } | null
  const ready = Promise.withResolvers<void>()
  // Whoever waits for it hears of it; nobody may.
  ready.promise.catch(() => log.debug({ pid }, 'worker was not ready'))

  let watch = setTimeout(() => hangs(`was not ready within ${readyMs} ms`), readyMs)
  let silence = ''
  function hangs(how: string): void {
    silence = `${how} and `
    kill(pid, 'SIGKILL')
  }

  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-stderrTail)
    process.stderr.write(text)
  })

  child.on('message', (raw) => {
    const parsed = toParent.safeParse(raw)
    if (!parsed.success) {
      log.error({ pid, err: parsed.error }, 'worker said what is not in the protocol')
      kill(pid, 'SIGKILL')
      return
    }
    clearTimeout(watch)
    if (state !== 'GONE') watch = setTimeout(() => hangs(`was silent for ${silentMs} ms`), silentMs)
    const message = parsed.data
    if (message.type === 'ready') {
      state = 'IDLE'
      ready.resolve()
    } else if (message.type === 'heartbeat') {
      rssBytes = message.rssBytes
    } else if (run?.executionId === message.executionId) {
      jobsDone += 1
      run.end({ kind: 'done', outcome: message.outcome })
    }
  })

  child.once('exit', () => {
    state = 'GONE'
  })
  const gone = (async () => {
    const how = await exitOf(child)
    state = 'GONE'
    clearTimeout(watch)
    // What it left behind in its group, and what has left the group: a browser.
    kill(pid, 'SIGKILL')
    await clearFolder(folder).catch((error: unknown) => log.warn({ err: error, folder }, 'a worker left something'))
    const message = `worker ${pid} ${silence}${how}${tail.trim() === '' ? '' : `: ${tail.trim()}`}`
    run?.end({ kind: 'lost', message })
    ready.reject(new Error(message))
    return message
  })()

  async function killAndWait(): Promise<void> {
    kill(pid, 'SIGTERM')
    const last = setTimeout(() => kill(pid, 'SIGKILL'), graceMs)
    await gone
    clearTimeout(last)
  }

  return {
    pid,
    get state() {
      return state
    },
    get jobsDone() {
      return jobsDone
    },
    get rssBytes() {
      return rssBytes
    },
    ready: ready.promise,
    gone,

    async run(executionId, { deadline, signal }) {
      if (state !== 'IDLE') return { kind: 'lost', message: `worker ${pid} is ${state.toLowerCase()}` }
      state = 'BUSY'
      const { promise, resolve } = Promise.withResolvers<ChildEnd>()
      run = { executionId, end: resolve }
      const timer = setTimeout(() => resolve({ kind: 'timeout' }), Math.max(0, deadline - Date.now()))
      const aborted = () => resolve({ kind: 'aborted' })
      signal.addEventListener('abort', aborted, { once: true })
      if (signal.aborted) aborted()
      const message: ToChild = { type: 'run', executionId, deadline }
      child.send(message, (error) => {
        if (error) resolve({ kind: 'lost', message: `worker ${pid} could not be given its job: ${error.message}` })
      })
      const end = await promise
      run = null
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
      if (end.kind !== 'done') await killAndWait()
      else if (child.connected) state = 'IDLE'
      return end
    },

    async stop() {
      if (state === 'BUSY' || state === 'STARTING') return await killAndWait()
      // A process without its channel ends itself.
      if (child.connected) child.disconnect()
      const last = setTimeout(() => kill(pid, 'SIGKILL'), graceMs * 5)
      await gone
      clearTimeout(last)
    },
  }
}

/** A process that cannot be made (no memory, say) throws, or tells so by an error event. */
function forkIn(folder: string, entry: URL, env: NodeJS.ProcessEnv): ChildProcess {
  try {
    return fork(entry, [], {
      execPath: process.execPath,
      execArgv: [],
      env: { ...env, ...folderEnv(folder) },
      detached: true,
      serialization: 'json',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw error
  }
}

/** How a process went, once it is gone and everything it said has been read. */
async function exitOf(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let how = 'ended'
  child.once('error', (error) => resolve(`could not be started: ${error.message}`))
  child.once('close', () => resolve(how))
  child.once('exit', (code, signal) => {
    how = signal ? `was ended by ${signal}` : `ended with code ${code}`
    // A process that it left behind may hold its stderr open for ever.
    setTimeout(() => resolve(how), 500).unref()
  })
  return await promise
}

/** Sends a signal to the process group of a child; one that is gone is no error. */
function kill(pid: number, signal: NodeJS.Signals): void {
  if (pid === 0) return
  try {
    // Windows has no process groups.
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
