import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cleanEnvironment, runAs } from './account.ts'
import type { Binaries } from './binaries.ts'
import { dataFolder } from './cluster.ts'
import { EmbeddedError } from './embeddedError.ts'
import type { Home } from './home.ts'
import { codeOf } from './processes.ts'

/*
 * The keeper is a small shell that belongs to none of the server's users. It runs the server as its child, starts it
 * again when it crashes, and stops it when the last user has gone.
 *
 * A user is a process that holds the FIFO `users` open for writing: the kernel closes that with the process, whatever
 * ended it, and the keeper, which reads the FIFO, sees its end. Somebody may come at that very moment. So every user
 * writes a line when it comes, and the keeper, having seen the end, first renames the FIFO (nobody comes any more) and
 * then looks for a line (somebody has come): only without one it stops. A user whose FIFO was renamed before it could
 * see so was not let in and tries again. Who holds the FIFO open for reading - the keeper, alone - lives.
 */
const script = `
users=$1 data=$2 pg_ctl=$3
shift 3
exec 3<&0 </dev/null
(
  while :; do
    while read -r _ <&3; do :; done
    mv "$users" "$users.closing"
    read -r _ <&3 || break
    mv "$users.closing" "$users"
  done
  # It may be between two starts: as long as the shell that starts it is there, try again.
  until "$pg_ctl" stop -D "$data" -m fast 3<&-; do
    kill -0 $$ || break
    sleep 0.1
  done
) >/dev/null 2>&1 &
door=$!
crashed=no restarts=0
while [ $restarts -lt 100 ]; do
  "$@" 3<&-
  code=$?
  [ $code -gt 128 ] && crashed=yes
  # It was told to stop, or could not start at all.
  if [ $code -eq 0 ] || [ $crashed = no ]; then break; fi
  restarts=$((restarts + 1))
  # The rest of a killed server takes a moment to go; until then a new one refuses to start.
  sleep 0.2
done
kill $door
rm -f "$users.closing"
exit $code
`

/** A user's place at the server: the handle that keeps it running. */
export type Seat = number

/** Takes a place at the running server; null when there is none, or it is just stopping. Call it under the lock. */
export function takeSeat(home: Home): Seat | null {
  const seat = openForWriting(usersFile(home))
  if (seat === null) return null
  try {
    writeSync(seat, '+\n')
    if (fstatSync(seat).ino === statSync(usersFile(home)).ino) return seat
  } catch (error) {
    // The keeper went, or closed its door, while we came.
    if (!['EPIPE', 'ENOENT'].includes(codeOf(error))) {
      closeSync(seat)
      throw error
    }
  }
  closeSync(seat)
  return null
}

/** Whether a keeper is there and lets users in. */
export function keeperIsOpen(home: Home): boolean {
  return isRead(usersFile(home))
}

/** Waits until no keeper is closing any more: the server it had is down. Throws EmbeddedError after `patience` ms. */
export async function untilKeeperClosed(home: Home, patience: number): Promise<void> {
  const deadline = Date.now() + patience
  while (isRead(closingFile(home))) {
    if (Date.now() > deadline) throw new EmbeddedError(`the embedded Postgres in ${home.folder} does not stop`)
    await delay(10)
  }
}

/**
 * Starts a keeper with a server on `port` and takes a place there. Whether the server comes up is for the caller to
 * see. Call it under the lock, with no keeper there. The keeper has a session of its own: Ctrl-C does not reach it.
 */
export async function startKeeper(home: Home, binaries: Binaries, port: number): Promise<Seat> {
  const users = usersFile(home)
  // A FIFO that a killed keeper left may have users still: they are taken over.
  if (existsSync(closingFile(home))) renameSync(closingFile(home), users)
  if (!existsSync(users)) await runAs(home.account, 'mkfifo', ['-m', '600', users])
  // Each end waits for the other one when opened; a handle for both, kept for this moment, spares them that.
  const both = openSync(users, constants.O_RDWR)
  const reading = openSync(users, constants.O_RDONLY)
  const seat = openSync(users, constants.O_WRONLY)
  closeSync(both)
  const log = openSync(logFile(home), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    const keeper = spawn(
      '/bin/sh',
      ['-c', script, 'gavel-keeper', users, dataFolder(home), binaries.pgCtl, ...serverCommand(home, binaries, port)],
      { ...home.account, cwd: '/', env: cleanEnvironment(), detached: true, stdio: [reading, log, log] },
    )
    await once(keeper, 'spawn')
    keeper.unref()
    return seat
  } catch (error) {
    closeSync(seat)
    throw error
  } finally {
    closeSync(reading)
    closeSync(log)
  }
}

/**
 * Whether others still use the server; to be asked after one's own handle was closed, under the lock. A FIFO without
 * writers reads as ended, one with silent writers as empty for now.
 */
export function hasUsers(home: Home): boolean {
  if (!keeperIsOpen(home)) return false
  let reading: number
  try {
    reading = openSync(usersFile(home), constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
  try {
    const line = Buffer.alloc(64)
    const length = readSync(reading, line)
    if (length === 0) return false
    // A line that was meant for the keeper: put back.
    const writing = openSync(usersFile(home), constants.O_WRONLY | constants.O_NONBLOCK)
    writeSync(writing, line.subarray(0, length))
    closeSync(writing)
    return true
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return true
    throw error
  } finally {
    closeSync(reading)
  }
}

export function logFile(home: Home): string {
  return join(home.folder, 'server.log')
}

function usersFile(home: Home): string {
  return join(home.folder, 'users')
}

function closingFile(home: Home): string {
  return `${usersFile(home)}.closing`
}

function isRead(fifo: string): boolean {
  const handle = openForWriting(fifo)
  if (handle !== null) closeSync(handle)
  return handle !== null
}

/** Null when the FIFO is not there (ENOENT) or nobody reads it (ENXIO, fifo(7)). */
function openForWriting(fifo: string): number | null {
  try {
    return openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ENXIO'].includes(codeOf(error))) return null
    throw error
  }
}

function serverCommand(home: Home, binaries: Binaries, port: number): string[] {
  const settings = [
    'listen_addresses=127.0.0.1',
    // No socket file: its path would have to be short, and a killed server would leave it behind.
    'unix_socket_directories=',
    'max_connections=200',
    'timezone=UTC',
    'log_timezone=UTC',
    'log_checkpoints=off',
  ]
  return [binaries.postgres, '-D', dataFolder(home), '-p', String(port), ...settings.flatMap((s) => ['-c', s])]
}
