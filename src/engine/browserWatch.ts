import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Logger } from '../log.ts'
import { clearFolder, folderEnv, makeWorkerFolder } from './workerFolder.ts'

export interface BrowserWatch {
  /** Why this node has no browser, and when it is looked for again; null when it has one as far as is known. */
  readonly missing: { reason: string; nextLook: Date } | null
  /** A job has failed for want of a browser. */
  isMissing(reason: string): void
  stop(): void
}

const firstPauseMs = 5_000
const longestPauseMs = 300_000
/** One that goes missing again within this time is looked for with the pauses going on to grow. */
const healthyAfterMs = 600_000

/**
 * Remembers that a node's browser is missing, from the first job that has failed for want of it until one is found
 * that shows a page, looked for with growing pauses. The next jobs would fail likewise, and NO_BROWSER is not retried.
 */
export function watchBrowser({ env, log }: { env: NodeJS.ProcessEnv; log: Logger }): BrowserWatch {
  let missing = null as { reason: string; nextLook: Date } | null
  let timer: NodeJS.Timeout | null = null
  let looks = 0
  let foundAt = Number.NEGATIVE_INFINITY
  let stopped = false

  function lookLater(reason: string): void {
    const pauseMs = Math.min(firstPauseMs * 2 ** looks, longestPauseMs)
    looks += 1
    missing = { reason, nextLook: new Date(Date.now() + pauseMs) }
    timer = setTimeout(() => {
      // What comes while we look is put off a little longer.
      missing = { reason, nextLook: new Date(Date.now() + firstPauseMs) }
      look().catch((error: unknown) => {
        log.warn({ err: error }, 'the browser could not be looked for')
        if (!stopped) lookLater(reason)
      })
    }, pauseMs)
  }

  async function look(): Promise<void> {
    const failure = await probe(env)
    if (stopped) return
    if (failure !== null) return lookLater(failure)
    missing = null
    foundAt = Date.now()
    log.info('the browser is there again')
  }

  return {
    get missing() {
      return missing
    },
    isMissing(reason) {
      if (missing || stopped) return
      if (Date.now() - foundAt > healthyAfterMs) looks = 0
      log.error({ reason }, 'no browser: this node puts off the jobs that are to be read with one')
      lookLater(reason)
    },
    stop() {
      stopped = true
      if (timer) clearTimeout(timer)
    },
  }
}

/** Looks in a process and a folder of its own: a browser leaves its traces there. Answers what is wrong, or null. */
async function probe(env: NodeJS.ProcessEnv): Promise<string | null> {
  const folder = makeWorkerFolder()
  try {
    const process = fork(new URL('fetch/probeBrowser.ts', import.meta.url), [], {
      execArgv: [],
      env: { ...env, ...folderEnv(folder) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      timeout: probeMs,
      killSignal: 'SIGKILL',
    })
    let said = 'looking for a browser came to no end'
    process.on('message', (word) => {
      if (typeof word === 'string') said = word
    })
    await once(process, 'exit')
    return said === 'found' ? null : said
  } finally {
    await clearFolder(folder)
  }
}

const probeMs = 120_000
