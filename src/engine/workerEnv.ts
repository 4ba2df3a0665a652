import type { Config } from '../config.ts'

/** The environment of a worker: this process's own with the settings as they stand here, read there by readConfig. */
export function workerEnv(config: Config, databaseUrl: string): NodeJS.ProcessEnv {
  const { politeness } = config
  return {
    ...process.env,
    DATABASE_URL: databaseUrl,
    GAVEL_DATA_DIR: config.dataDir,
    GAVEL_CSV_DIR: config.csvDir,
    GAVEL_ALLOW_PRIVATE_HOSTS: config.allowPrivateHosts.join(','),
    GAVEL_BROWSER: config.browserPath ?? '',
    GAVEL_HOST_CONCURRENCY: String(politeness.hostConcurrency),
    GAVEL_HOST_RPS: String(politeness.hostRps),
    GAVEL_PLATFORM_CONCURRENCY: String(politeness.platformConcurrency),
    GAVEL_PLATFORM_RPS: String(politeness.platformRps),
    LOG_LEVEL: config.logLevel,
    // Nothing that a worker needs.
    GAVEL_ADMIN_KEY: '',
  }
}
