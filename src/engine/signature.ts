import { Webhook } from 'standardwebhooks'

/** A signing secret as its owner gets it: `whsec_` and base64, as the Standard Webhooks specification has it. */
export function printSecret(secret: Buffer): string {
  return `whsec_${secret.toString('base64')}`
}

/** The headers of one try of a message: the same id at every try, signed together with the body and this instant. */
export function signedHeaders(
  message: { id: string; body: string; secret: Buffer },
  at: Date,
): { 'webhook-id': string; 'webhook-timestamp': string; 'webhook-signature': string } {
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(printSecret(message.secret)).sign(message.id, at, message.body),
  }
}
