import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface GavelServer {
  url: string
  /** Asks it to end and waits until it has; kills it when it takes longer than 20 s. */
  stop(): Promise<void>
}

/**
 * Starts `gavel serve` as a process of its own with the given settings and waits for its `listening` line. Throws
 * with what it wrote when it ends before that. Warnings and errors of its log are passed on to `tell`.
 */
export async function startGavel(env: Record<string, string>, tell: (line: string) => void): Promise<GavelServer> {
  const main = new URL('../main.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [main, 'serve'], {
    env: { ...process.env, ...env, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own: Ctrl-C reaches the demo alone, which then stops the server in order.
    detached: true,
  })
  const url = await listening(child, tell)
  return {
    url,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      const deadline = setTimeout(() => child.kill('SIGKILL'), 20_000)
      await exited
      clearTimeout(deadline)
    },
  }
}

function listening(child: ChildProcess, tell: (line: string) => void): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const seen: string[] = []
  child.on('error', reject)
  child.on('exit', (code) => reject(new Error(`gavel serve ended with ${code}: ${seen.slice(-5).join('\n')}`)))
  if (!child.stderr) throw new Error('the server has no stderr to read')
  createInterface({ input: child.stderr }).on('line', (line) => {
    const entry = parse(line)
    seen.push(line)
    if (seen.length > 20) seen.shift()
    if (entry?.msg === 'listening' && entry.url) resolve(entry.url)
    if (entry === null || entry.level >= 40) tell(entry?.msg ?? line)
  })
  return promise
}

function parse(line: string): { level: number; msg?: string; url?: string } | null {
  if (!line.startsWith('{')) return null
  return JSON.parse(line) as { level: number; msg?: string; url?: string }
}
