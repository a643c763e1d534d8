/**
 * http: the web edge: everything about a request and its answer that is the same whoever serves it, and the pages' frame.
 *
 * It knows requests and responses and never the protocol engine; it decides nothing about people or clients. Everything
 * it needs arrives as an argument. Control goes on to the engine and the rooms that serve pages; what they throw comes
 * back here.
 *
 * assembly.ts uses the middlewares in this order, each for its reason:
 *
 *  0. `jsonBodies`       around all, since it writes what they answered
 *  1. `pinHost`          before anybody makes a URL or a cookie
 *  2. `clientAddress`    before anybody counts or logs who asks
 *  3. `nameEndpoint`     the row of the table that 4 to 8 go by
 *  4. `securityHeaders`  before anything can fail: failures keep them
 *  5. `tellAnswered`     sees the final answer, failures' too: for the log and the metrics
 *  6. `failures`         catches whatever is below
 *  7. `limits`           refuses through 6
 *  8. `pace.paced`       before anything is remembered
 *  9. `documents.cacheable` around the engine's public documents
 *     … assets, pages of the rooms above, the engine …
 *     `notFound`         last, after the engine's router
 *
 * Before all of them: {@link inFront}, for what is asked most and answered fastest. Whoever asks the store does so {@link patiently}.
 * Beside them, once: `silenceKoa(app, logger)`. 1 to 5 throw nothing.
 */
export { accentColours } from './accent.ts';
export { accessLog } from './access-log.ts';
export { addressOf, clientAddress } from './address.ts';
export { type Tell, tellAll, tellAnswered } from './answered.ts';
export { fromAnyOrigin } from './any-origin.ts';
export { type Assets, createAssets } from './assets.ts';
export { challenge } from './challenge.ts';
export { cookieStyle, createSigner } from './cookies.ts';
export { CSRF_FIELD, type Csrf, createCsrf } from './csrf.ts';
export { createDevice, type Device } from './device.ts';
export { createDocuments } from './documents.ts';
export { doorway } from './doorway.ts';
export { ENDPOINTS, endpointFinder, endpointsOf, nameEndpoint } from './endpoints.ts';
export { type Failure, failures } from './failures.ts';
export { FORM_LIMITS, type Form, formOf, parseForm, readFields, readForm } from './forms.ts';
export { createFrontDesk, type Front, type FrontDesk, failedInFront, inFront } from './front.ts';
export { type GuardedFrame, type GuardedPage, guardedPage, type Outcome } from './guarded.ts';
export { allowFormRedirect, securityHeaders } from './headers.ts';
export { pinHost } from './host.ts';
export { jsonBodies } from './json-bodies.ts';
export { type JsonObject, readJsonObject } from './json-requests.ts';
export { silenceKoa } from './koa-errors.ts';
export { limits, REQUEST_LIMITS } from './limits.ts';
export { type Entrance, type Listening, listen, type Receiving, receive } from './listen.ts';
export { createLogger } from './log.ts';
export { standardOutput } from './log-output.ts';
export type { LinkPage, PasswordError, Trail } from './mailed-pages.ts';
export { type BrowserMark, createBrowserMark } from './mark.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { notFound } from './not-found.ts';
export { opsHandler, type Readiness, serveOps, WARMING_UP } from './ops.ts';
export { createPace, type Pace } from './pace.ts';
export { createPages, type PageData, type Pages } from './pages.ts';
export { backTo, nextOf, pageOf, SHOWN } from './paging.ts';
export { patiently } from './patience.ts';
export { createKnownPeople, type KnownPeople } from './people.ts';
export { HttpRefusal } from './refusals.ts';
export { sendOn } from './send-on.ts';
export { SharedHead } from './shared-head.ts';
export { takeBody } from './small-body.ts';
export { stateOf } from './state.ts';
