import type { WriteStream } from 'node:tty'
import cliProgress from 'cli-progress'
import type { JobStatus } from '../domain.ts'
import { formatStatus } from './days.ts'
import { clip } from './table.ts'

/** What a progress bar shows of one job. */
export interface JobProgressLine {
  jobId: string
  name: string
  status: JobStatus
  datesDone: number
  datesTotal: number
  rowsProcessed: number
  currentDate: string | null
  etaSeconds: number | null
  nextAttemptAt: string | null
  errorMessage: string | null
}

export interface ProgressView {
  update(line: JobProgressLine): void
  /** Leaves the bars as they stand and gives the terminal back. */
  close(): void
}

/** Bars on a terminal; elsewhere a plain line whenever a job's status or its finished days change. */
export function openProgress(stream: NodeJS.WritableStream): ProgressView {
  return (stream as WriteStream).isTTY ? bars(stream) : lines(stream)
}

function bars(stream: NodeJS.WritableStream): ProgressView {
  const view = new cliProgress.MultiBar(
    {
      stream,
      format: '{name} {bar} {value}/{total} days  {rows} listings  {what}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      hideCursor: true,
      linewrap: false,
      clearOnComplete: false,
      emptyOnZero: true,
    },
    cliProgress.Presets.shades_classic,
  )
  const known = new Map<string, cliProgress.SingleBar>()
  return {
    update(line) {
      const payload = {
        name: clip(line.name, 34).padEnd(34),
        rows: String(line.rowsProcessed).padStart(4),
        what: what(line),
      }
      const bar = known.get(line.jobId) ?? view.create(line.datesTotal, line.datesDone, payload)
      known.set(line.jobId, bar)
      bar.update(line.datesDone, payload)
    },
    close() {
      view.stop()
    },
  }
}

function lines(stream: NodeJS.WritableStream): ProgressView {
  const told = new Map<string, string>()
  return {
    update(line) {
      const step = `${line.status} ${line.datesDone}`
      if (told.get(line.jobId) === step) return
      told.set(line.jobId, step)
      stream.write(
        `${line.name}: ${line.datesDone}/${line.datesTotal} days, ${line.rowsProcessed} listings, ${what(line)}\n`,
      )
    },
    close() {},
  }
}

function what(line: JobProgressLine): string {
  const status = formatStatus(line.status)
  if (line.status === 'RUNNING') {
    const eta = line.etaSeconds === null ? '' : `, ${line.etaSeconds} s left`
    return `${status}${line.currentDate === null ? '' : ` ${line.currentDate}`}${eta}`
  }
  if (line.nextAttemptAt !== null) return `${status} next attempt ${line.nextAttemptAt.slice(11, 19)} UTC`
  return line.errorMessage === null ? status : `${status} ${clip(line.errorMessage, 60)}`
}
