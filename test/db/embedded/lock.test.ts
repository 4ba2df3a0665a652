import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withLock } from '../../../src/db/embedded/lock.ts'
import { startOf } from '../../../src/db/embedded/processes.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gavel-lock-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

test('only one at a time works under the lock, and nothing of it stays', async () => {
  let inside = 0
  const seen: number[] = []
  const work = async () => {
    inside += 1
    seen.push(inside)
    await readdir(folder)
    inside -= 1
  }
  await Promise.all(Array.from({ length: 8 }, () => withLock(folder, 20_000, work)))
  expect(seen).toEqual(Array.from({ length: 8 }, () => 1))
  expect(await readdir(folder)).toEqual([])
})

test('a lock is let go when the work fails', async () => {
  const failing = withLock(folder, 1000, () => Promise.reject(new Error('no')))
  await expect(failing).rejects.toThrow('no')
  expect(await readdir(folder)).toEqual([])
})

test('the lock of a process that is gone, or whose id another has now, does not count', async () => {
  await symlink('4999999 boot/1', join(folder, 'lock.1'))
  await symlink(`${process.pid} boot/1`, join(folder, 'lock.2'))
  let held: string[] = []
  await withLock(folder, 1000, async () => {
    held = await readdir(folder)
  })
  expect(held.sort()).toEqual(['lock.1', 'lock.2', 'lock.3'].sort())
})

test('the lock of a killed process that its parent never reaps does not count', async () => {
  // The shell becomes a sleep: a parent that waits for nobody.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const holder = Number(line.toString())
  await symlink(`${holder} ${startOf(holder)}`, join(folder, 'lock.1'))
  await expect(withLock(folder, 50, () => Promise.resolve())).rejects.toThrow(`process ${holder} has kept`)
  process.kill(holder, 'SIGKILL')
  await withLock(folder, 5000, () => Promise.resolve())
  expect(await readdir(folder)).toEqual(['lock.1'])
  parent.kill('SIGKILL')
  await once(parent, 'exit')
})

test('a lock that is kept for too long is an error that names its holder', async () => {
  await symlink(`${process.pid} ${startOf(process.pid)}`, join(folder, 'lock.1'))
  await expect(withLock(folder, 50, () => Promise.resolve())).rejects.toThrow(`process ${process.pid} has kept`)
})
