import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createPool, type Pool } from '../../src/engine/pool.ts'
import { silent } from '../support/engineFixtures.ts'

let folder: string
const pools: Pool[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gavel-pool-'))
})

afterEach(async () => {
  await Promise.all(pools.splice(0).map(async (pool) => await pool.stop(0)))
})

afterAll(async () => await rm(folder, { recursive: true }))

/** A pool whose workers run this code. */
async function poolOf(
  code: string,
  options: { size?: number; silentMs?: number; onFault?: (fault: string | null) => void } = {},
): Promise<Pool> {
  const file = join(folder, `${randomUUID()}.mjs`)
  await writeFile(file, code)
  const { size = 1, silentMs = 10_000, onFault = () => {} } = options
  const pool = createPool({ size, entry: pathToFileURL(file), env: process.env, silentMs, onFault, log: silent })
  pools.push(pool)
  return pool
}

const obedient = `
  process.once('disconnect', () => process.exit(0))
  process.on('message', ({ executionId }) =>
    process.send({ type: 'done', executionId, outcome: { kind: 'completed', stages: [] } }))
  process.send({ type: 'ready' })`

const never = () => new AbortController().signal
const soon = () => ({ deadline: Date.now() + 60_000, signal: never() })
const until = { timeout: 20_000, interval: 20 }

describe('a pool', () => {
  it('gives one worker to one at a time', async () => {
    const pool = await poolOf(obedient)
    const child = await pool.acquire(never())
    const waiting = pool.acquire(never())
    expect(await child.run(randomUUID(), soon())).toEqual({
      kind: 'done',
      outcome: { kind: 'completed', stages: [] },
    })
    pool.release(child)
    expect((await waiting).pid).toBe(child.pid)
  })

  it('replaces a worker after 50 jobs', async () => {
    const pool = await poolOf(obedient)
    const first = await pool.acquire(never())
    for (let n = 0; n < 49; n += 1) await first.run(randomUUID(), soon())
    pool.release(first)
    const again = await pool.acquire(never())
    expect(again.pid).toBe(first.pid)
    await again.run(randomUUID(), soon())
    pool.release(again)
    expect((await pool.acquire(never())).pid).not.toBe(first.pid)
    expect(first.state).toBe('GONE')
  })

  it('replaces a worker that has grown too large', async () => {
    const pool = await poolOf(`${obedient}
      process.send({ type: 'heartbeat', rssBytes: 2 ** 31 })`)
    const large = await pool.acquire(never())
    await vi.waitFor(() => expect(large.rssBytes).toBe(2 ** 31), until)
    pool.release(large)
    expect((await pool.acquire(never())).pid).not.toBe(large.pid)
  })

  it('replaces an idle worker that dies', async () => {
    const pool = await poolOf(obedient)
    const child = await pool.acquire(never())
    pool.release(child)
    process.kill(child.pid, 'SIGKILL')
    await child.gone
    expect((await pool.acquire(never())).pid).not.toBe(child.pid)
  })

  it('kills a worker that is silent, and tells so', async () => {
    const pool = await poolOf(`process.send({ type: 'ready' }, () => { while (true); })`, { silentMs: 300 })
    const child = await pool.acquire(never())
    const end = await child.run(randomUUID(), soon())
    expect(end).toMatchObject({ kind: 'lost', message: expect.stringContaining('was silent for 300 ms') })
  })

  it('kills a worker that leaves the protocol', async () => {
    const pool = await poolOf(`${obedient}
      setTimeout(() => process.send({ type: 'nonsense' }), 50)`)
    const child = await pool.acquire(never())
    expect(await child.gone).toContain('SIGKILL')
  })

  it('tells the end of its stderr when a run dies', async () => {
    const pool = await poolOf(`
      process.on('message', () => { throw new Error('out of cheese') })
      process.send({ type: 'ready' })`)
    const child = await pool.acquire(never())
    const end = await child.run(randomUUID(), soon())
    expect(end.kind === 'lost' && end.message).toMatch(/ended with code 1: [^]*out of cheese/)
  })

  it('goes on trying when workers cannot start, and lets go of who waits', async () => {
    const pool = await poolOf('process.exit(3)')
    const leaving = new AbortController()
    const waiting = pool.acquire(leaving.signal)
    const seen = new Set<number>()
    await vi.waitFor(() => {
      for (const worker of pool.workers()) seen.add(worker.pid)
      expect(seen.size).toBeGreaterThan(1)
    }, until)
    leaving.abort()
    await expect(waiting).rejects.toThrow('no worker was ready')
  })

  it('kills what a worker has started together with it', async () => {
    const pool = await poolOf(`
      import { spawn } from 'node:child_process'
      const grandchild = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
      process.send({ type: 'heartbeat', rssBytes: grandchild.pid })
      process.send({ type: 'ready' })`)
    const child = await pool.acquire(never())
    const grandchild = child.rssBytes
    const closing = new AbortController()
    const end = child.run(randomUUID(), { deadline: Date.now() + 60_000, signal: closing.signal })
    closing.abort()
    expect(await end).toEqual({ kind: 'aborted' })
    await vi.waitFor(() => expect(() => process.kill(grandchild, 0)).toThrow('ESRCH'), until)
  })
})

describe('a pool whose workers cannot start', () => {
  it('lets go of who waits after three of them and says why, tries one at a time, and goes on with the first', async () => {
    const go = join(folder, randomUUID())
    const faults: (string | null)[] = []
    const pool = await poolOf(
      `
      import { appendFileSync, existsSync } from 'node:fs'
      appendFileSync(${JSON.stringify(`${go}.starts`)}, '.')
      if (!existsSync(${JSON.stringify(go)})) {
        console.error('no room for workers')
        process.exit(3)
      }
      ${obedient}`,
      { size: 4, onFault: (fault) => faults.push(fault) },
    )
    await expect(pool.acquire(never())).rejects.toThrow('no worker was ready')
    expect(faults).toEqual([expect.stringMatching(/ended with code 3: [^]*no room for workers/)])
    expect(pool.fault).toBe(faults[0])
    await expect(pool.acquire(never())).rejects.toThrow('no worker was ready')

    // The four that were started at once, and the probes.
    const starts = async () => (await readFile(`${go}.starts`, 'utf8')).length
    const before = await starts()
    await vi.waitFor(async () => expect(await starts()).toBeGreaterThan(before), until)
    expect(pool.workers().length).toBeLessThanOrEqual(1)
    await writeFile(go, '')
    await vi.waitFor(() => expect(pool.workers().filter((one) => one.state === 'IDLE')).toHaveLength(4), until)
    expect(faults).toHaveLength(2)
    expect(faults[1]).toBeNull()
    expect(pool.fault).toBeNull()
  })

  it('says so too when the system gives them nothing to start with', async () => {
    const missing = join(folder, randomUUID())
    vi.stubEnv('TMPDIR', missing)
    try {
      const pool = await poolOf(obedient)
      await vi.waitFor(() => expect(pool.fault).toContain('ENOENT'), until)
      await mkdir(missing)
      const child = await pool.acquire(never()).catch(() => null)
      expect(child).toBeNull()
      await vi.waitFor(() => expect(pool.workers()).toMatchObject([{ state: 'IDLE' }]), until)
      expect(pool.fault).toBeNull()
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('goes on with those it has', async () => {
    const once = join(folder, randomUUID())
    const pool = await poolOf(
      `
      import { mkdirSync } from 'node:fs'
      // The first gets it.
      mkdirSync(${JSON.stringify(once)})
      ${obedient}`,
      { size: 2, onFault: (fault) => expect(fault).toBeNull() },
    )
    const child = await pool.acquire(never())
    const seen = new Set<number>()
    await vi.waitFor(() => {
      for (const worker of pool.workers()) seen.add(worker.pid)
      expect(seen.size).toBeGreaterThan(4)
    }, until)
    expect(pool.fault).toBeNull()
    pool.release(child)
    expect((await pool.acquire(never())).pid).toBe(child.pid)
  })
})
