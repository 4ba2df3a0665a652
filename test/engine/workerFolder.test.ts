import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { startOf } from '../../src/db/embedded/processes.ts'
import { startChild } from '../../src/engine/child.ts'
import { makeWorkerFolder, sweepWorkerFolders } from '../../src/engine/workerFolder.ts'
import { silent } from '../support/engineFixtures.ts'

/** Stands in for the machine's folder of temporary files. */
let temporary: string
const strays: ChildProcess[] = []

beforeEach(async () => {
  temporary = await realpath(await mkdtemp(join(tmpdir(), 'gavel-folders-')))
  vi.stubEnv('TMPDIR', temporary)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const stray of strays.splice(0)) stray.kill('SIGKILL')
  await rm(temporary, { recursive: true })
})

/** A process in a session of its own, as a browser is, with its TMPDIR inside a folder. */
async function strayIn(folder: string): Promise<ChildProcess> {
  const inside = join(folder, 'profile')
  await mkdir(inside)
  const stray = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, TMPDIR: inside },
  })
  strays.push(stray)
  await once(stray, 'spawn')
  return stray
}

async function ended(stray: ChildProcess): Promise<void> {
  if (stray.exitCode === null && stray.signalCode === null) await once(stray, 'exit')
}

it('a worker that is killed leaves no folder, and no process that it had put into a session of its own', async () => {
  const entry = join(temporary, `${randomUUID()}.mjs`)
  await writeFile(
    entry,
    `
    import { spawn } from 'node:child_process'
    import { mkdtempSync, writeFileSync } from 'node:fs'
    import { tmpdir } from 'node:os'
    const profile = mkdtempSync(tmpdir() + '/profile-')
    writeFileSync(profile + '/lock', '')
    const stray = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
    process.send({ type: 'heartbeat', rssBytes: stray.pid })
    process.send({ type: 'ready' })
    setInterval(() => {}, 1000)`,
  )
  const child = startChild({
    entry: pathToFileURL(entry),
    env: process.env,
    readyMs: 20_000,
    silentMs: 20_000,
    log: silent,
  })
  await child.ready
  const stray = child.rssBytes
  expect(await readdir(temporary)).toContainEqual(expect.stringMatching(/^gavel-\d+-[0-9a-f]{8}-\w{6}$/))
  expect(startOf(stray)).not.toBeNull()
  process.kill(child.pid, 'SIGKILL')
  await child.gone
  expect(startOf(stray)).toBeNull()
  expect((await readdir(temporary)).filter((name) => name.startsWith('gavel-'))).toEqual([])
})

it('a node that starts clears what nodes that are gone have left, and nothing of those that live', async () => {
  const own = makeWorkerFolder()
  const [, , mark] = own.slice(temporary.length + 1).split('-')
  // A node whose id has been given to another since, and one whose id nobody has.
  const reused = join(temporary, `gavel-${process.pid}-00000000-aaaaaa`)
  const dead = spawn(process.execPath, ['-e', ''])
  await once(dead, 'exit')
  const gone = join(temporary, `gavel-${dead.pid}-${mark}-bbbbbb`)
  const others = join(temporary, 'gavel-photos-2026')
  for (const folder of [reused, gone, others]) await mkdir(folder)
  const [kept, ...lost] = [await strayIn(own), await strayIn(reused), await strayIn(gone)]

  expect(await sweepWorkerFolders(silent)).toBe(2)
  for (const stray of lost) await ended(stray)
  expect([reused, gone].map((folder) => existsSync(folder))).toEqual([false, false])
  expect([own, others].map((folder) => existsSync(folder))).toEqual([true, true])
  expect(startOf(kept.pid ?? 0)).not.toBeNull()
})
