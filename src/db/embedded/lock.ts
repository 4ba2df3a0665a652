import { readdir, readlink, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EmbeddedError } from './embeddedError.ts'
import { codeOf, startOf } from './processes.ts'

/**
 * Runs `work` while no other process does so in the same folder. Throws EmbeddedError when the holder keeps it longer
 * than `patience` milliseconds.
 *
 * The lock is the link `lock.N` with the highest N; its text names the holder (a link is made whole or not at all). A
 * holder that died leaves its link for ever as a tombstone and the next one takes N + 1: nobody ever removes another's,
 * so two that find the same dead holder cannot both get in.
 */
export async function withLock<T>(folder: string, patience: number, work: () => Promise<T>): Promise<T> {
  const file = await acquire(folder, patience)
  try {
    return await work()
  } finally {
    await rm(file)
  }
}

async function acquire(folder: string, patience: number): Promise<string> {
  const deadline = Date.now() + patience
  for (;;) {
    const newest = await newestLock(folder)
    if (newest === null || !newest.held) {
      const file = join(folder, `lock.${(newest?.number ?? 0) + 1}`)
      if (await made(file)) return file
    }
    if (Date.now() > deadline)
      throw new EmbeddedError(`process ${newest?.holder} has kept ${folder} locked for too long`)
    await delay(20)
  }
}

async function newestLock(folder: string): Promise<{ number: number; holder: number; held: boolean } | null> {
  const numbers = (await readdir(folder)).flatMap((name) => /^lock\.(\d+)$/.exec(name)?.[1] ?? []).map(Number)
  if (numbers.length === 0) return null
  const number = Math.max(...numbers)
  try {
    const [pid = '', started] = (await readlink(join(folder, `lock.${number}`))).split(/ (.*)/)
    return { number, holder: Number(pid), held: startOf(Number(pid)) === started }
  } catch (error) {
    // Released while we looked: its number is free again.
    if (codeOf(error) === 'ENOENT') return { number: number - 1, holder: 0, held: false }
    throw error
  }
}

async function made(file: string): Promise<boolean> {
  try {
    await symlink(`${process.pid} ${startOf(process.pid)}`, file)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}
