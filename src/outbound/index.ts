/**
 * outbound: every request this server makes to another one by HTTP.
 *
 * It owns where such a request may go (never to a private network that the operator has not named), how long it may take
 * and how much may come back. It knows no protocol: whoever asks reads the answer. It follows no redirect, keeps no
 * connection and uses no proxy. config, words, outbound and lib are everybody's.
 */
export { createOutbound, type Outbound, OutboundError } from './outbound.ts';
