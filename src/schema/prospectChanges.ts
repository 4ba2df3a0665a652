import { prospectChanges, watchProspectChanges } from '../resolvers/prospectChanges.ts'
import { builder } from './builder.ts'
import { pageArgs, pageCost } from './connection.ts'
import { AuctionStatus, AuctionType, ProspectChangeKind } from './enums.ts'
import { PlaceInput } from './inputs.ts'
import { ProspectChangeConnection } from './prospects.ts'
import { ProspectChange } from './refs.ts'

const ProspectChangeFilter = builder.inputType('ProspectChangeFilter', {
  description:
    'Which changes, judged on the change as it was stored, not on the prospect as it is now. Fields are ANDed, values within a list ORed, an empty list is refused.',
  fields: (t) => ({
    places: t.field({ type: [PlaceInput], description: 'Of prospects in these places.' }),
    scrapeUrlIds: t.idList({ description: 'Seen at one of these scrape URLs.' }),
    prospectIds: t.idList({ description: 'Of these prospects.' }),
    jobId: t.id({ description: 'Seen by this job.' }),
    auctionType: t.field({ type: [AuctionType], description: 'Of prospects that had one of these types after it.' }),
    kind: t.field({ type: [ProspectChangeKind], description: 'Of these kinds.' }),
    fields: t.stringList({ description: 'In which one of these fields changed; CREATED lists those with a value.' }),
    statusFrom: t.field({ type: [AuctionStatus], description: 'From one of these states.' }),
    statusTo: t.field({ type: [AuctionStatus], description: 'To one of these states.' }),
  }),
})

builder.queryField('prospectChanges', (t) =>
  t.field({
    type: ProspectChangeConnection,
    description:
      "Every change of prospects in the order it was committed, oldest first. An edge's cursor is what the subscription prospectChanges takes as after; one that is older than what is kept: CURSOR_EXPIRED.",
    args: {
      filter: t.arg({ type: ProspectChangeFilter, description: 'Which of them.' }),
      since: t.arg({ type: 'DateTime', description: 'Recorded at this instant or later.' }),
      first: pageArgs(t.arg).first,
      after: pageArgs(t.arg).after,
    },
    complexity: pageCost,
    resolve: async (_root, args, context) => await prospectChanges(args, context),
  }),
)

builder.subscriptionField('prospectChanges', (t) =>
  t.field({
    type: ProspectChange,
    description:
      'Prospects created or changed from now on, or after the given cursor, without end; in commit order; none lost, none twice. A cursor older than what is kept: CURSOR_EXPIRED.',
    args: {
      filter: t.arg({ type: ProspectChangeFilter, description: 'Which changes.' }),
      after: t.arg.string({ description: "Changes after this one's cursor; from now on unless told." }),
    },
    subscribe: async (_root, args, context) => await watchProspectChanges(args, context),
    resolve: (change) => change,
  }),
)
