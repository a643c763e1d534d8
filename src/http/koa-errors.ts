import type Koa from 'koa';
import type { Context } from 'koa';
import type { Logger } from '../lib/index.ts';

/**
 * Takes over what Koa does with an error that no middleware caught (a body that cannot be written, a stream that
 * breaks): Koa would print it to the console in plain text and drop the security headers. Call it once per app.
 */
export function silenceKoa(app: Koa, logger: Logger): void {
  app.on('error', (err: unknown) => logger.error({ err }, 'a response could not be written'));
  app.context.onerror = function onerror(this: Context, err: unknown): void {
    if (err === null || err === undefined) return;
    if (this.headerSent || !this.writable) {
      logger.debug({ err }, 'a response was cut short');
      this.res.destroy();
      return;
    }
    logger.error({ err }, 'a response could not be written');
    const body = JSON.stringify({ error: 'server_error', error_description: 'something went wrong on our side' });
    this.res.removeHeader('Set-Cookie');
    this.res.removeHeader('ETag');
    this.res.setHeader('Cache-Control', 'no-store');
    this.res.setHeader('Content-Type', 'application/json; charset=utf-8');
    this.res.setHeader('Content-Length', Buffer.byteLength(body));
    this.res.statusCode = 500;
    this.res.end(body);
  };
}
