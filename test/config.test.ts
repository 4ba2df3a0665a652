import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ConfigError, readConfig } from '../src/config.ts'

test('without any setting, everything has its documented default', () => {
  expect(readConfig({})).toEqual({
    databaseUrl: null,
    host: '127.0.0.1',
    port: 4000,
    dataDir: '.gavel',
    csvDir: 'scraped_data',
    workers: 4,
    adminKey: null,
    allowPrivateHosts: [],
    allowOrigins: [],
    browserPath: null,
    politeness: { hostConcurrency: 2, hostRps: 2, platformConcurrency: 5, platformRps: 5 },
    jobTimeoutSeconds: 1800,
    retryDelaysSeconds: [5, 25, 125],
    staleAfterSeconds: 10,
    logLevel: 'info',
  })
})

test('every setting is read', () => {
  expect(
    readConfig({
      DATABASE_URL: 'postgres://gavel@db.example/gavel',
      HOST: '0.0.0.0',
      PORT: '0',
      GAVEL_DATA_DIR: '/data',
      GAVEL_CSV_DIR: '/csv',
      GAVEL_WORKERS: '0',
      GAVEL_ADMIN_KEY: 'a-key-that-is-long-enough',
      GAVEL_ALLOW_PRIVATE_HOSTS: 'localhost:4100, 127.0.0.1:4101,[::1]:4102',
      GAVEL_ALLOW_ORIGINS: 'https://gavel.example, http://localhost:5173',
      GAVEL_BROWSER: '/usr/bin/chromium',
      GAVEL_HOST_CONCURRENCY: '1',
      GAVEL_HOST_RPS: '0.5',
      GAVEL_PLATFORM_CONCURRENCY: '0',
      GAVEL_PLATFORM_RPS: '0',
      GAVEL_JOB_TIMEOUT: '82800',
      GAVEL_RETRY_DELAYS: '1,2',
      GAVEL_STALE_AFTER: '30',
      LOG_LEVEL: 'debug',
    }),
  ).toEqual({
    databaseUrl: 'postgres://gavel@db.example/gavel',
    host: '0.0.0.0',
    port: 0,
    dataDir: '/data',
    csvDir: '/csv',
    workers: 0,
    adminKey: 'a-key-that-is-long-enough',
    allowPrivateHosts: ['localhost:4100', '127.0.0.1:4101', '[::1]:4102'],
    allowOrigins: ['https://gavel.example', 'http://localhost:5173'],
    browserPath: '/usr/bin/chromium',
    politeness: { hostConcurrency: 1, hostRps: 0.5, platformConcurrency: 0, platformRps: 0 },
    jobTimeoutSeconds: 82_800,
    retryDelaysSeconds: [1, 2],
    staleAfterSeconds: 30,
    logLevel: 'debug',
  })
})

test('an empty value counts as absent', () => {
  expect(readConfig({ PORT: '', DATABASE_URL: '', GAVEL_ADMIN_KEY: '' })).toEqual(readConfig({}))
})

test.each([
  ['PORT', '70000', 'PORT must be a whole number from 0 to 65535'],
  ['PORT', 'http', 'PORT must be a whole number from 0 to 65535'],
  ['PORT', '-1', 'PORT must be a whole number from 0 to 65535'],
  ['DATABASE_URL', 'mysql://db/gavel', 'DATABASE_URL must be a postgres:// URL'],
  ['GAVEL_WORKERS', '4.5', 'GAVEL_WORKERS must be a whole number from 0 to 64'],
  [
    'GAVEL_ALLOW_PRIVATE_HOSTS',
    'localhost',
    'GAVEL_ALLOW_PRIVATE_HOSTS must be a list of host:port, separated by commas',
  ],
  [
    'GAVEL_ALLOW_PRIVATE_HOSTS',
    'localhost:65536',
    'GAVEL_ALLOW_PRIVATE_HOSTS must be a list of host:port, separated by commas',
  ],
  [
    'GAVEL_ALLOW_ORIGINS',
    'https://gavel.example/',
    'GAVEL_ALLOW_ORIGINS must be a list of origins such as https://gavel.example, separated by commas',
  ],
  [
    'GAVEL_ALLOW_ORIGINS',
    '*',
    'GAVEL_ALLOW_ORIGINS must be a list of origins such as https://gavel.example, separated by commas',
  ],
  ['GAVEL_HOST_RPS', 'fast', 'GAVEL_HOST_RPS must be a number, 0 for no limit'],
  ['GAVEL_JOB_TIMEOUT', '0', 'GAVEL_JOB_TIMEOUT must be a whole number from 1 to 82800'],
  ['GAVEL_JOB_TIMEOUT', '82801', 'GAVEL_JOB_TIMEOUT must be a whole number from 1 to 82800'],
  ['GAVEL_RETRY_DELAYS', '5;25', 'GAVEL_RETRY_DELAYS must be seconds separated by commas, such as 5,25,125'],
  ['GAVEL_STALE_AFTER', '9', 'GAVEL_STALE_AFTER must be a whole number from 10 to 3600'],
  ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent'],
])('%s=%s is refused with one line that names it', (name, value, message) => {
  expect(() => readConfig({ [name]: value })).toThrow(new ConfigError(message))
})

test('several settings that make no sense are named in one line, and no value is repeated', () => {
  const mistakes = { PORT: 'x', LOG_LEVEL: 'y', DATABASE_URL: 'user:hunter2@db' }
  let message = ''
  try {
    readConfig(mistakes)
  } catch (error) {
    message = (error as ConfigError).message
  }
  expect(message).toMatch(/^[^\n]*DATABASE_URL[^\n]*; PORT [^\n]*; LOG_LEVEL [^\n]*$/)
  expect(message).not.toContain('hunter2')
})

test('.env in the working folder fills what the environment does not name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gavel-env-'))
  try {
    await writeFile(join(folder, '.env'), 'PORT=4321\nHOST=from-file\n')
    const config = new URL('../src/config.ts', import.meta.url).href
    const script = `const { readConfig } = await import(${JSON.stringify(config)}); console.log(JSON.stringify(readConfig()))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOST: 'from-environment' },
    })
    expect(JSON.parse(stdout)).toMatchObject({ port: 4321, host: 'from-environment' })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('docs/settings.md lists every setting that src/config.ts reads, with its default, and no other', async () => {
  const read = async (path: string): Promise<string> => readFile(new URL(`../${path}`, import.meta.url), 'utf8')
  const source = /const settings = \{\n(.*?)\n\} satisfies/s.exec(await read('src/config.ts'))?.[1] ?? ''
  const names = [...source.matchAll(/^ {2}([A-Z_]+):/gm)].map((match) => match[1])
  expect(names.length).toBeGreaterThan(10)

  const rows = [...(await read('docs/settings.md')).matchAll(/^\| `([A-Z_]+)` \| (.*?) \|/gm)]
  const documented = rows.map(([, name = '', text = '']) => ({ name, value: /^`(.*)`$/.exec(text)?.[1] }))
  expect(documented.map((row) => row.name)).toEqual(names)
  // What has no default of its own is described in words; the rest is written as one would set it.
  const unset = documented.filter((row) => row.value === undefined).map((row) => row.name)
  expect(unset).toEqual([
    'DATABASE_URL',
    'GAVEL_ADMIN_KEY',
    'GAVEL_ALLOW_PRIVATE_HOSTS',
    'GAVEL_ALLOW_ORIGINS',
    'GAVEL_BROWSER',
  ])
  for (const { name, value } of documented)
    expect([name, readConfig({ [name]: value })]).toEqual([name, readConfig({})])
})
