import type { SavedWebhook } from '../engine/saveWebhook.ts'
import { loadDeliveriesOfWebhooks, loadLastDeliveries, remove, save, webhooks } from '../resolvers/webhooks.ts'
import { builder } from './builder.ts'
import { connectionType, listCost, pageArgs, pageCost, unremembered } from './connection.ts'
import { WebhookEvent } from './enums.ts'
import { resultType } from './errors.ts'
import { Webhook, WebhookDelivery } from './refs.ts'

WebhookDelivery.implement({
  description:
    'One message to a webhook; its id is the webhook-id that is sent. It is tried 8 times within 24 hours, and kept when it is over.',
  fields: (t) => ({
    event: t.expose('event', { type: WebhookEvent, description: 'What it tells of.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When that happened.' }),
    status: t.exposeInt('status', {
      nullable: true,
      description: 'The HTTP status that the newest try was answered with; null where there was no answer.',
    }),
    attempt: t.exposeInt('attempt', { description: 'How many tries there were.' }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Why the newest try did not succeed; null before the first, and when it is delivered.',
    }),
  }),
})

const DeliveryConnection = connectionType('WebhookDelivery', WebhookDelivery, 'deliveries')

Webhook.implement({
  description: 'Who is told of events, by signed POST requests after the Standard Webhooks specification.',
  fields: (t) => ({
    url: t.expose('url', { type: 'URL', description: 'Where the requests go.' }),
    events: t.field({ type: [WebhookEvent], description: 'What it is told of.', resolve: (row) => row.events }),
    active: t.exposeBoolean('active', {
      description: 'Whether it is told of anything. An answer of 410 makes it inactive.',
    }),
    lastDelivery: t.loadable({
      type: WebhookDelivery,
      nullable: true,
      description: 'The newest message to it.',
      loaderOptions: unremembered,
      load: async (keys: string[], context) => await loadLastDeliveries(keys, context),
      resolve: (row) => row.id,
    }),
    deliveries: t.loadable({
      type: DeliveryConnection,
      description: 'The messages to it, newest first.',
      args: pageArgs(t.arg),
      byPath: true,
      complexity: pageCost,
      loaderOptions: unremembered,
      load: async (keys: string[], context, args) => await loadDeliveriesOfWebhooks(keys, args, context),
      resolve: (row) => row.id,
    }),
  }),
})

builder.queryField('webhooks', (t) =>
  t.field({
    type: [Webhook],
    description: 'Every webhook, oldest first. Takes ADMIN.',
    authScopes: { admin: true },
    complexity: listCost(20),
    resolve: async (_root, _args, context) => await webhooks(context),
  }),
)

const SaveWebhookInput = builder.inputType('SaveWebhookInput', {
  description:
    'With id, what is left out stays and null clears. Without id it creates, and url and events are required.',
  fields: (t) => ({
    id: t.id({ description: 'The webhook to change.' }),
    url: t.field({
      type: 'URL',
      description: 'Where the requests go: http or https, at a public address, without credentials.',
    }),
    events: t.field({ type: [WebhookEvent], description: 'What it is told of; not empty.' }),
    active: t.boolean({ description: 'Whether it is told of anything; true unless told.' }),
  }),
})

const SaveWebhookSuccess = builder.objectRef<SavedWebhook>('SaveWebhookSuccess').implement({
  description: 'It is saved.',
  fields: (t) => ({
    webhook: t.field({ type: Webhook, description: 'As it stands now.', resolve: (saved) => saved.webhook }),
    secret: t.exposeString('secret', {
      nullable: true,
      description: 'Of a new webhook the secret its requests are signed with: shown here and never again.',
    }),
  }),
})

const DeleteWebhookSuccess = builder.objectRef<{ deletedId: string }>('DeleteWebhookSuccess').implement({
  description: 'It is deleted, with its deliveries.',
  fields: (t) => ({ deletedId: t.exposeID('deletedId', { description: 'The id it had.' }) }),
})

const SaveWebhookResult = resultType('SaveWebhookResult', SaveWebhookSuccess, ['InvalidInputError', 'NotFoundError'])
const DeleteWebhookResult = resultType('DeleteWebhookResult', DeleteWebhookSuccess, ['NotFoundError'])

builder.mutationFields((t) => ({
  saveWebhook: t.field({
    type: SaveWebhookResult.type,
    description: 'Saves a webhook, or changes it. Takes ADMIN.',
    authScopes: { admin: true },
    args: { input: t.arg({ type: SaveWebhookInput, required: true, description: 'What to save.' }) },
    resolve: async (_root, { input }, context) => SaveWebhookResult.from(await save(input, context)),
  }),
  deleteWebhook: t.field({
    type: DeleteWebhookResult.type,
    description: 'Deletes a webhook; what still waits for it is not sent. Takes ADMIN.',
    authScopes: { admin: true },
    args: { id: t.arg.id({ required: true, description: 'The webhook.' }) },
    resolve: async (_root, { id }, context) => DeleteWebhookResult.from(await remove(id, context)),
  }),
}))
