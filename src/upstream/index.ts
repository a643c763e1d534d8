/**
 * upstream: signing in by a provider we are a client of (Google, GitHub, any OpenID Connect provider).
 *
 * It owns what is asked of a provider and what is believed of its answer: a registered provider and an authorization
 * response in, somebody that provider vouches for out, or an {@link UpstreamFailure}. It knows no request, no page and no
 * account: who that somebody is here, and whether that is enough, the domain and interaction/ decide. openid-client
 * speaks the protocol; outbound/ carries it.
 */
export { createUpstreamClient, type Errand, type Provider, type UpstreamClient } from './client.ts';
export { UpstreamFailure } from './failure.ts';
export { KIND_NAMES, kindOf, settleScopes, settleTerms } from './kinds.ts';
