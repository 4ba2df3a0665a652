import { createHash } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { lstat, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, startOf } from '../db/embedded/processes.ts'
import type { Logger } from '../log.ts'
import { processesWithin } from './processesWithin.ts'

/** `gavel-{pid of the node}-{mark of its start}-{random}`. Short: a browser's socket inside has 107 characters in all. */
const named = /^gavel-(\d+)-([0-9a-f]{8})-\w{6}$/

/**
 * Makes a worker's own folder for temporary files: its TMPDIR, and so that of its browser, whose profile lies there.
 * Every process that a worker starts carries the folder in its environment, by which clearFolder finds them.
 */
export function makeWorkerFolder(): string {
  return mkdtempSync(join(tmpdir(), `gavel-${process.pid}-${markOf(process.pid)}-`))
}

/** The variables that name the folder to a process. */
export function folderEnv(folder: string): NodeJS.ProcessEnv {
  // Compiled code is for all workers: by default it would lie in the folder too.
  const NODE_COMPILE_CACHE = process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'node-compile-cache')
  return { TMPDIR: folder, ...(process.platform === 'win32' ? { TEMP: folder, TMP: folder } : {}), NODE_COMPILE_CACHE }
}

/**
 * Ends what a worker has left behind, a browser in a process group of its own most likely, and removes its folder.
 * To be called when the worker is gone, however it went.
 */
export async function clearFolder(folder: string): Promise<void> {
  // What is being started while we look is found the next time.
  for (let look = 0; look < 50; look += 1) {
    const pids = await processesWithin(folder)
    if (pids.length === 0) break
    for (const pid of pids) killIfThere(pid)
    await delay(10)
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

/**
 * Clears the folders of nodes that are gone: killed together with their workers, or before them. A node is known by
 * its process id and by when it started, for ids come again. Nodes that share a temporary folder must see each
 * other's processes. Resolves with how many there were.
 */
export async function sweepWorkerFolders(log: Logger): Promise<number> {
  let swept = 0
  for (const name of await readdir(tmpdir())) {
    const [, pid, mark] = named.exec(name) ?? []
    if (pid === undefined || markOf(Number(pid)) === mark || !(await isOurs(join(tmpdir(), name)))) continue
    try {
      await clearFolder(join(tmpdir(), name))
      swept += 1
    } catch (error) {
      // What cannot be removed is no reason not to start.
      log.warn({ err: error, folder: name }, 'the folder of a lost worker could not be removed')
    }
  }
  if (swept > 0) log.info({ folders: swept }, 'cleared what lost workers have left')
  return swept
}

/** Windows does not say when a process started, so there nothing is swept. */
function markOf(pid: number): string {
  const start = process.platform === 'win32' ? '' : (startOf(pid) ?? 'gone')
  return createHash('sha256').update(start).digest('hex').slice(0, 8)
}

async function isOurs(folder: string): Promise<boolean> {
  try {
    const { uid } = await lstat(folder)
    return process.getuid === undefined || uid === process.getuid()
  } catch (error) {
    // Another node sweeps too.
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}
