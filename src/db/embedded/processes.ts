import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync, realpathSync } from 'node:fs'

/**
 * When the process began, as text that no later process with the same id shares; null when it is gone. A zombie counts
 * as gone: it does nothing any more, and under a pid 1 that never reaps it would stay for ever.
 */
export function startOf(pid: number): string | null {
  if (process.platform !== 'linux') {
    const [state, ...started] = ps(pid, 'stat=,lstart=').split(/\s+/)
    return state === undefined || state === '' || state.startsWith('Z') ? null : started.join(' ')
  }
  const stat = readProc(`/proc/${pid}/stat`)
  if (stat === null) return null
  // proc(5): the name stands in parentheses and may hold anything; field 3 is the state, field 22 the start in ticks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return null
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`
}

/** Whether the process is the Postgres server of this data folder, and not a stranger that got its old id. */
export function isServerOf(pid: number, data: string): boolean {
  if (startOf(pid) === null) return false
  if (process.platform !== 'linux') return /(^|\/)postgres$/.test(ps(pid, 'comm='))
  if (readProc(`/proc/${pid}/comm`)?.trim() !== 'postgres') return false
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data)
  } catch (error) {
    // Another account's process, or one that has just ended: either way not ours.
    if (['EACCES', 'EPERM', 'ENOENT', 'ESRCH'].includes(codeOf(error))) return false
    throw error
  }
}

/** The `code` of a system error, '' for anything else. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(codeOf(error))) return null
    throw error
  }
}

function ps(pid: number, columns: string): string {
  try {
    return execFileSync('ps', ['-o', columns, '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch (error) {
    // ps exits 1 when there is no such process.
    if (error instanceof Error && 'status' in error && error.status === 1) return ''
    throw error
  }
}
