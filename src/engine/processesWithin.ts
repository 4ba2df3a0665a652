import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { codeOf, startOf } from '../db/embedded/processes.ts'

const run = promisify(execFile)

/**
 * The processes that were started with this folder, or one inside it, as their TMPDIR or for their browser profile.
 * It is by this that a browser is found whose worker is gone: it has a process group and a session of its own, and
 * once its parent has died nothing else ties it to the worker. Zombies are not counted: they do nothing any more.
 */
export async function processesWithin(folder: string): Promise<number[]> {
  if (process.platform === 'win32') return []
  if (process.platform !== 'linux') return await withPs(folder)
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found: number[] = []
  for (const pid of pids) {
    const words = `${await readProc(`/proc/${pid}/environ`)}\0${await readProc(`/proc/${pid}/cmdline`)}`.split('\0')
    if (words.some((word) => isWithin(word, folder)) && startOf(Number(pid)) !== null) found.push(Number(pid))
  }
  return found
}

function isWithin(word: string, folder: string): boolean {
  return ['TMPDIR=', '--user-data-dir='].some((name) => word === name + folder || word.startsWith(`${name}${folder}/`))
}

/** `-E` shows the environment of our own processes after their command. */
async function withPs(folder: string): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-ww', '-E', '-o', 'pid=,stat=,command='], { maxBuffer: 2 ** 26 })
  return stdout.split('\n').flatMap((line) => {
    const [pid, state, ...words] = line.trim().split(/\s+/)
    return words.some((word) => isWithin(word, folder)) && !state?.startsWith('Z') ? [Number(pid)] : []
  })
}

/** Empty for a process that has just ended, or is another's. */
async function readProc(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(codeOf(error))) return ''
    throw error
  }
}
