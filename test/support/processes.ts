import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** Module processes that say when they have started; `killAll` in afterEach. */
export function processes() {
  const started: ChildProcess[] = []

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  return {
    /** Starts a module of test/support with these settings. */
    async start(module: string, env: Record<string, string>): Promise<ChildProcess> {
      const child = fork(new URL(module, import.meta.url), { execArgv: [], env: { ...process.env, ...env } })
      started.push(child)
      await once(child, 'message')
      return child
    },
    kill,
    async killAll(): Promise<void> {
      await Promise.all(started.splice(0).map(kill))
    },
  }
}
