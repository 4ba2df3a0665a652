import { appendLines, changeJob, type LogEntry, lockExecution } from '../db/changeJob.ts'
import { throughConnectionLoss } from '../db/connectionLoss.ts'
import type { Database } from '../db/database.ts'
import type { CalendarDate } from '../domain.ts'

/** Tells watchers of a job what its worker does while a day is in work. */
export interface Progress {
  log(line: LogEntry): void
  /** Where the job is; told within a quarter of a second, together with what comes until then. */
  tell(change: { currentDate: CalendarDate }): void
  /** Waits for what is being told, and answers the lines not yet written: the caller writes them. */
  takeLines(): Promise<LogEntry[]>
  /** Writes everything. Rejects with FencedError when the execution has been closed. */
  flush(): Promise<void>
}

/** At most four times a second: coalesced at the source, for every telling is a transaction and a NOTIFY. */
const intervalMs = 250

/** `onFault` hears what a telling of its own accord has failed with, FencedError above all. */
export function createProgress(db: Database, executionId: string, onFault: (error: unknown) => void): Progress {
  let lines: LogEntry[] = []
  let change: { currentDate?: CalendarDate } = {}
  let timer: NodeJS.Timeout | null = null
  let telling: Promise<void> = Promise.resolve()

  function soon(): void {
    timer ??= setTimeout(() => {
      timer = null
      telling = write()
      telling.catch(onFault)
    }, intervalMs)
  }

  async function write(): Promise<void> {
    const [said, moved] = [lines, change]
    lines = []
    change = {}
    const hasMoved = Object.keys(moved).length > 0
    if (said.length === 0 && !hasMoved) return
    const tell = async () =>
      await db.transaction().execute(async (trx) => {
        const { job } = await lockExecution(trx, executionId)
        if (hasMoved) await changeJob(trx, job, moved, { lines: said, executionId })
        else await appendLines(trx, job, said, executionId)
      })
    await throughConnectionLoss(tell)
  }

  async function settle(): Promise<void> {
    if (timer) clearTimeout(timer)
    timer = null
    await telling
  }

  return {
    log(line) {
      lines.push(line)
      soon()
    },
    tell(moved) {
      change = { ...change, ...moved }
      soon()
    },
    async takeLines() {
      await settle()
      const taken = lines
      lines = []
      // What the caller's own write says overtakes it.
      change = {}
      return taken
    },
    async flush() {
      await settle()
      telling = write()
      await telling
    },
  }
}
