import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type OwnPostgres, startOwnPostgres } from '../support/ownPostgres.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

let server: OwnPostgres
beforeAll(async () => {
  server = await startOwnPostgres()
})
afterAll(() => server.remove())

test('a worker that is told to stop while the database is away stops all the same', async () => {
  const worker = spawn(process.execPath, [main, 'worker', '--workers', '1'], {
    env: { ...process.env, DATABASE_URL: server.url, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  worker.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const closed = once(worker, 'close')
  await vi.waitFor(() => expect(said).toContain('"msg":"node started"'), { timeout: 30_000 })
  await server.crash()
  try {
    worker.kill('SIGTERM')
    const [code, signal] = (await closed) as [number | null, string | null]
    expect({ code, signal }).toEqual({ code: 0, signal: null })
  } finally {
    await server.start()
  }
}, 90_000)
