import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { EmbeddedError } from './embeddedError.ts'

const run = promisify(execFile)

/** The account the server runs as; empty: our own. */
export interface Account {
  uid?: number
  gid?: number
}

/**
 * Postgres refuses to run as root: root's server runs as the account that owns its folder already, else as `postgres`,
 * else as `nobody` (initdb wants an account with an entry in /etc/passwd). Everybody else's runs as themselves.
 */
export async function serverAccount(owner: { uid: number; gid: number } | null): Promise<Account> {
  if (process.getuid?.() !== 0) return {}
  if (owner !== null && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const found = lines.find((fields) => fields[0] === name)
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) }
  }
  throw new EmbeddedError('Postgres does not run as root, and there is no account postgres or nobody: set DATABASE_URL')
}

/** Runs a program to its end as the account, in a clean environment: a locale that was never generated stops initdb. */
export async function runAs(
  account: Account,
  file: string,
  args: string[],
): Promise<{ stdout: string; stderr: string }> {
  return await run(file, args, { ...account, env: cleanEnvironment(), cwd: '/', timeout: 120_000 })
}

/** Whether the account can enter the folder, all its parents included. */
export async function canEnter(account: Account, folder: string): Promise<boolean> {
  try {
    await runAs(account, '/bin/sh', ['-c', 'cd "$1"', 'sh', folder])
    return true
  } catch (error) {
    // The shell's own refusal (a number); a shell that could not be started at all is another matter.
    if (error instanceof Error && 'code' in error && typeof error.code === 'number') return false
    throw error
  }
}

/** What the server's programs get to see of the environment. */
export function cleanEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' }
}
