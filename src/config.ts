import { existsSync } from 'node:fs'
import { loadEnvFile } from 'node:process'
import { z } from 'zod'

/** A setting that makes no sense. The message is one line, names the setting and says what it may be. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`)

const limit = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'must be a number, 0 for no limit')
  .transform(Number)

const hostPorts = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))
  .refine(
    (parts) =>
      parts.every((part) => {
        const port = /^(?:\[[0-9a-f:]+\]|[^\s:[\]]+):(\d{1,5})$/i.exec(part)?.[1]
        return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535
      }),
    'must be a list of host:port, separated by commas',
  )

const origins = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))
  .refine(
    (parts) => parts.every((part) => /^https?:/.test(part) && URL.canParse(part) && new URL(part).origin === part),
    'must be a list of origins such as https://gavel.example, separated by commas',
  )

/** Every setting, by its environment name: its default and what it may be. */
const settings = {
  /** Any PostgreSQL >= 15, reached directly; without it the embedded server under GAVEL_DATA_DIR. */
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\/\S+$/, 'must be a postgres:// URL')
    .optional(),
  HOST: z.string().min(1, 'must be a host name or address').default('127.0.0.1'),
  PORT: whole(0, 65_535).default(4000),
  GAVEL_DATA_DIR: z.string().min(1, 'must be a folder').default('.gavel'),
  GAVEL_CSV_DIR: z.string().min(1, 'must be a folder').default('scraped_data'),
  /** Child processes in this node; 0 serves only. */
  GAVEL_WORKERS: whole(0, 64).default(4),
  GAVEL_ADMIN_KEY: z
    .string()
    .regex(/^\S{1,500}$/, 'must have 1 to 500 characters without spaces')
    .optional(),
  GAVEL_ALLOW_PRIVATE_HOSTS: hostPorts.default([]),
  GAVEL_ALLOW_ORIGINS: origins.default([]),
  GAVEL_BROWSER: z.string().min(1, 'must be the path of a Chromium or Chrome').optional(),
  GAVEL_HOST_CONCURRENCY: whole(0, 100).default(2),
  GAVEL_HOST_RPS: limit.default(2),
  GAVEL_PLATFORM_CONCURRENCY: whole(0, 1000).default(5),
  GAVEL_PLATFORM_RPS: limit.default(5),
  GAVEL_JOB_TIMEOUT: whole(1, 82_800).default(1800),
  GAVEL_RETRY_DELAYS: z
    .string()
    .regex(/^\d{1,5}(,\d{1,5})*$/, 'must be seconds separated by commas, such as 5,25,125')
    .transform((text) => text.split(',').map(Number))
    .default([5, 25, 125]),
  GAVEL_STALE_AFTER: whole(10, 3600).default(10),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be one of fatal, error, warn, info, debug, trace, silent',
    })
    .default('info'),
} satisfies Record<string, z.ZodType>

const schema = z.object(settings)

export interface Config {
  databaseUrl: string | null
  host: string
  port: number
  dataDir: string
  csvDir: string
  workers: number
  adminKey: string | null
  /** `host:port` pairs that may be fetched although their address is private. */
  allowPrivateHosts: readonly string[]
  /** Origins, beside the API's own, whose pages may use the API. */
  allowOrigins: readonly string[]
  browserPath: string | null
  politeness: {
    hostConcurrency: number
    hostRps: number
    platformConcurrency: number
    platformRps: number
  }
  jobTimeoutSeconds: number
  retryDelaysSeconds: readonly number[]
  staleAfterSeconds: number
  logLevel: string
}

/**
 * Reads the settings from the environment and, for what it does not name, from `.env` in the working folder.
 * Empty values count as absent. Throws ConfigError, naming each setting that makes no sense.
 */
export function readConfig(env: NodeJS.ProcessEnv = environment()): Config {
  const given = Object.fromEntries(
    Object.keys(settings).flatMap((name) => (env[name] === undefined || env[name] === '' ? [] : [[name, env[name]]])),
  )
  const parsed = schema.safeParse(given)
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}`)
    throw new ConfigError([...new Set(lines)].join('; '))
  }
  const s = parsed.data
  return {
    databaseUrl: s.DATABASE_URL ?? null,
    host: s.HOST,
    port: s.PORT,
    dataDir: s.GAVEL_DATA_DIR,
    csvDir: s.GAVEL_CSV_DIR,
    workers: s.GAVEL_WORKERS,
    adminKey: s.GAVEL_ADMIN_KEY ?? null,
    allowPrivateHosts: s.GAVEL_ALLOW_PRIVATE_HOSTS,
    allowOrigins: s.GAVEL_ALLOW_ORIGINS,
    browserPath: s.GAVEL_BROWSER ?? null,
    politeness: {
      hostConcurrency: s.GAVEL_HOST_CONCURRENCY,
      hostRps: s.GAVEL_HOST_RPS,
      platformConcurrency: s.GAVEL_PLATFORM_CONCURRENCY,
      platformRps: s.GAVEL_PLATFORM_RPS,
    },
    jobTimeoutSeconds: s.GAVEL_JOB_TIMEOUT,
    retryDelaysSeconds: s.GAVEL_RETRY_DELAYS,
    staleAfterSeconds: s.GAVEL_STALE_AFTER,
    logLevel: s.LOG_LEVEL,
  }
}

function environment(): NodeJS.ProcessEnv {
  if (existsSync('.env')) loadEnvFile('.env')
  return process.env
}
