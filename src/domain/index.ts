/**
 * domain: the rules, one noun per file: who may sign in, which applications and APIs there are, what was allowed and
 * how it ends, how often one may guess.
 *
 * It owns what may be done to each noun, and every change it makes is one commit with its audit event. It knows no
 * request, no page and no protocol engine: everything it needs arrives as an argument, the clock too. Rooms above call
 * the verbs here and never write these tables themselves. nouns.ts is the list of them, open.ts adds what the server keeps secret.
 */
export type { Link, LinkPurpose } from '../store/index.ts';
export type { Person } from './account-changes.ts';
export { openArtifact } from './artifacts.ts';
export { ACR_VALUES, acrOf, leastOf, type Provable, together, toldAs } from './assurance.ts';
export type { Actor } from './audit.ts';
export type { Binding, Challenges } from './challenges.ts';
export { oldSecrets } from './client-secrets.ts';
export type { SaidOfItself } from './client-terms.ts';
export type { RegisteredClient } from './clients.ts';
export { type Handler, type Handlers, startCourier, Undeliverable } from './courier.ts';
export { deviceName } from './device-name.ts';
export { DEVICE_GRANT, type DeviceRequests, USER_CODE_MASK, userCodeIn } from './device-requests.ts';
export { emailKey, parseEmail } from './email.ts';
export { every } from './every.ts';
export type { Factors, OwnFactor } from './factors.ts';
export type { LinkedIdentity } from './identities.ts';
export type { Newcomer, RefusedLine } from './imports.ts';
export { noteIssuer } from './issuer.ts';
export type { Keys } from './keys.ts';
export type { Letter, LetterName } from './letters.ts';
export { browserOf } from './links.ts';
export { type Ended, sidOf } from './logouts.ts';
export type { MailedCodes } from './mailed-codes.ts';
export { lookAtKeys, type MasterKey, markDataMade, openMasterKey } from './master-key.ts';
export { type Moved, move } from './move.ts';
export { networkOf } from './networks.ts';
export { createDomain, type NounOptions } from './nouns.ts';
export { type Domain, openDomain } from './open.ts';
export { OWN_CLIENT } from './own-client.ts';
export { createPasswords, type Passwords } from './passwords.ts';
export { sessionIdOf } from './places.ts';
export { PROOF_ALGORITHMS } from './public-jwks.ts';
export type { RecoveryCodes } from './recovery-codes.ts';
export type { RefusalEntry } from './refusals.ts';
export type { Leave } from './registrations.ts';
export type { RegisteredResource } from './resources.ts';
export { type Restored, restore } from './restore.ts';
export { DIFFERENCES } from './restore-differences.ts';
export type { Led, SentForms } from './sent-forms.ts';
export { byId, lastUsedFirst } from './sign-ins.ts';
export type { KeyView, PublishedKey, SigningAlgorithm } from './signing-key.ts';
export type { AnswerKey, UnderWay, Vouched, WhyNot } from './upstream-requests.ts';
export type { RegisteredUpstream } from './upstreams.ts';
