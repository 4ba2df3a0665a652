import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { codeOf } from '../../src/db/embedded/processes.ts'

/** Sends a signal; false when there is no such process any more. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false
    throw error
  }
}

/** The children of a process that still run, the oldest first. */
export function childrenOf(parent: number): number[] {
  const lines =
    process.platform === 'linux'
      ? readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? statOf(name) : []))
      : execFileSync('ps', ['-A', '-o', 'pid=,ppid=,state='], { encoding: 'utf8' }).split('\n')
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ppid, state]) => Number(ppid) === parent && !state?.startsWith('Z'))
    .map(([pid]) => Number(pid))
    .sort((a, b) => a - b)
}

/** `pid ppid state`, from /proc where there is one: a bare Debian has no ps. */
function statOf(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = '', ppid = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return [`${pid} ${ppid} ${state}`]
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(codeOf(error))) return []
    throw error
  }
}
