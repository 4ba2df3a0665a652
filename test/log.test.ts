import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** Runs a piece of a program with a logger in a process of its own, as stderr is the process's. */
async function logged(level: string, code: string): Promise<{ stdout: string; stderr: string; lines: LogLine[] }> {
  const log = new URL('../src/log.ts', import.meta.url).href
  const script = `
    const { createLogger } = await import(${JSON.stringify(log)})
    const log = createLogger(${JSON.stringify(level)}, 'test')
    ${code}`
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  const lines = stderr.split('\n').filter((line) => line !== '')
  return { stdout, stderr, lines: lines.map((line) => JSON.parse(line) as LogLine) }
}

interface LogLine {
  msg: string
  level: number
  name: string
  time: string
  [key: string]: unknown
}

test('a line is JSON on stderr with level, name, time and message, and stdout is left alone', async () => {
  const { stdout, lines } = await logged('info', "log.info({ jobId: 'j1' }, 'job submitted')")
  expect(stdout).toBe('')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ level: 30, name: 'test', msg: 'job submitted', jobId: 'j1' })
  expect(lines[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('lines below the level are not written, and silent writes none', async () => {
  const code = "log.debug('d'); log.info('i'); log.warn('w')"
  expect((await logged('warn', code)).lines.map((line) => line.msg)).toEqual(['w'])
  expect((await logged('debug', code)).lines.map((line) => line.msg)).toEqual(['d', 'i', 'w'])
  expect((await logged('silent', code)).stderr).toBe('')
})

test('a line that was logged just before the process exits is written', async () => {
  const { lines } = await logged('info', "log.info('last words'); process.exit(0)")
  expect(lines.map((line) => line.msg)).toEqual(['last words'])
})

test('an error is logged with its message, stack and cause', async () => {
  const { lines } = await logged(
    'info',
    "log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed')",
  )
  expect(lines[0]).toMatchObject({ msg: 'failed', err: { type: 'Error', message: expect.stringContaining('outer') } })
  expect(JSON.stringify(lines[0]?.['err'])).toContain('inner')
})

test('secrets do not reach a line, down to the fourth level and in child loggers', async () => {
  const { stderr, lines } = await logged(
    'info',
    `log.info({
      key: 'SECRET-1',
      config: { adminKey: 'SECRET-2', databaseUrl: 'SECRET-3', port: 4000 },
      request: { headers: { authorization: 'SECRET-4', Authorization: 'SECRET-5', cookie: 'SECRET-6', host: 'h' } },
      webhooks: [{ secret: 'SECRET-7', url: 'u' }],
      err: Object.assign(new Error('refused'), { password: 'SECRET-8', params: { apiKey: 'SECRET-9' } }),
      a: { b: { c: { token: 'SECRET-10' } } },
      environment: { GAVEL_ADMIN_KEY: 'SECRET-11', DATABASE_URL: 'SECRET-12' },
    }, 'everything')
    log.child({ connectionString: 'SECRET-13', part: 'queue' }).info('child')`,
  )
  expect(stderr).not.toContain('SECRET')
  expect(lines[0]).toMatchObject({
    key: '[Redacted]',
    config: { port: 4000 },
    request: { headers: { host: 'h' } },
    webhooks: [{ url: 'u' }],
  })
  expect(lines[1]).toMatchObject({ msg: 'child', part: 'queue' })
})
