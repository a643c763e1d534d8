/**
 * engine: oidc-provider, configured and held to the store's promises.
 *
 * It owns the protocol: which endpoint answers what, which token is issued to whom, and that one request is one commit.
 * With grants/ it is the only room that knows oidc-provider; internals.ts alone imports its inside. It shows no page and
 * asks nobody anything: a person's steps are interaction/'s, which reaches the engine through {@link Engine}.
 */
export { endingWithPerson } from './accounts.ts';
export type { ArtifactPut, OpenArtifact, SealArtifact } from './artifacts.ts';
export { askAgain } from './ask-again.ts';
export { acrTold, noteAuthentication } from './authentication.ts';
export { logoutHandler } from './backchannel.ts';
export { mayCallFrom } from './clients.ts';
export type { Shows } from './configuration.ts';
export type { DeviceOutcome, Devices } from './devices.ts';
export { createEngine, type Engine } from './engine.ts';
export type { Interactions } from './interactions.ts';
export { mayLearnOf } from './introspection.ts';
export { readOwnJwt, signJwt } from './jwt.ts';
export type { Lifetimes } from './lifetimes.ts';
export { CUT_OFF } from './overtaken.ts';
export { OPERATORS_CALLBACK, OWN_CALLBACK, type OwnSessions, type SignedIn } from './own-sessions.ts';
export type { PendingRequest, Progress } from './pending.ts';
export { authenticationIn, isSignedAgain, personTokens } from './person-tokens.ts';
export { refreshTtl } from './refresh.ts';
export { keptAnswer } from './refresh-answers.ts';
export { tellRefusals } from './refused.ts';
export { type ResourceServers, resourceServers } from './resources.ts';
export { STATIC_SCOPES, splitScope } from './scopes.ts';
