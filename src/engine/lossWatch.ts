import type { Logger } from '../log.ts'

export interface LossWatch {
  /** Why the node takes no jobs for the moment; null when it does. */
  readonly fault: string | null
  /** A run has ended without its worker's word, for which the message is. */
  lost(jobId: string, message: string): void
  /** A run has ended with its worker's word, whatever that was. */
  done(): void
  stop(): void
}

/** One job that kills its workers uses up its own attempts and is no reason to stop: so many are, in a row. */
const jobsInARow = 3
const firstPauseMs = 1_000
const longestPauseMs = 60_000

/**
 * Watches for workers that start and then die in their jobs one after the other: a machine out of memory, say. Each
 * costs a job an attempt, and a node that went on at full speed would burn through all that wait. So it pauses, after
 * three different jobs at first, then after each further one and for longer, until a run comes to an end.
 */
export function watchLosses({ log, onChange }: { log: Logger; onChange: () => void }): LossWatch {
  const lostJobs = new Set<string>()
  let fault: string | null = null
  let pauses = 0
  let timer: NodeJS.Timeout | null = null

  function clear(): void {
    if (timer) clearTimeout(timer)
    timer = null
    fault = null
  }

  return {
    get fault() {
      return fault
    },
    lost(jobId, message) {
      lostJobs.add(jobId)
      if (lostJobs.size < jobsInARow || fault !== null) return
      const pauseMs = Math.min(firstPauseMs * 2 ** pauses, longestPauseMs)
      pauses += 1
      fault = `workers are lost one after the other: ${message}`
      log.error({ fault, pauseMs }, 'this node takes no jobs for a while')
      timer = setTimeout(() => {
        clear()
        onChange()
      }, pauseMs)
      onChange()
    },
    done() {
      lostJobs.clear()
      pauses = 0
      if (fault === null) return
      clear()
      onChange()
    },
    stop: clear,
  }
}
