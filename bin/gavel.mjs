#!/usr/bin/env node
// The `gavel` command: runs src/main.ts on the Node that the packages bring, whatever Node started this.
import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../src/main.ts', import.meta.url)
const pinned = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))

if (!existsSync(pinned)) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  process.stderr.write(`gavel: its packages are not installed: run \`npm ci\` in ${root}\n`)
  process.exitCode = 1
} else if (realpathSync(pinned) === realpathSync(process.execPath)) {
  await import(main.href)
} else {
  const child = spawn(pinned, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' })
  // What Ctrl-C sends has gone to all processes of the terminal already.
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !terminal) child.kill(signal)
    })
  }
  child.once('error', (error) => {
    process.stderr.write(`gavel: ${pinned} does not start: ${error.message}\n`)
    process.exitCode = 1
  })
  child.once('exit', (code, signal) => {
    if (signal !== null) {
      // Ends as the child did, so that who waits for us sees the same.
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    } else {
      process.exitCode = code
    }
  })
}
