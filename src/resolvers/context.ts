import type { Config } from '../config.ts'
import type { Database } from '../db/database.ts'
import type { Commands } from '../engine/commands.ts'
import type { Events } from '../engine/events.ts'
import type { ExportLinks } from '../engine/exportLinks.ts'
import type { SignedIn } from '../engine/people.ts'
import type { Logger } from '../log.ts'

/** What resolvers work with. */
export interface Services {
  db: Database
  commands: Commands
  events: Events
  config: Pick<Config, 'allowPrivateHosts' | 'staleAfterSeconds'>
  log: Logger
}

/** One operation's context. `viewer` is null where nobody is signed in. */
export interface Context extends Services {
  exportLinks: ExportLinks
  /** Where the client reached this server, such as `https://gavel.example:8443`: what links begin with. */
  origin: string
  viewer: SignedIn | null
}
