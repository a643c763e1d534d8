import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { discover, type Request, redeem, request } from '../support/client.ts';
import { addClient, PASSWORD, type Postern } from '../support/postern.ts';

/** An application that people are sent back to. */
export interface Application {
  /** Sends the browser to sign in. */
  begin(page: Page, parameters?: Record<string, string>): Promise<Request>;
  /** Waits until the browser is back. Gives what the ID token says. */
  back(page: Page, asked: Request): Promise<Record<string, unknown> & { readonly sub: string }>;
  close(): Promise<void>;
}

/** One of the operator's own, on a port of its own. */
export async function openApplication(postern: Postern): Promise<Application> {
  const server = createServer((_, answer) => answer.end('back at the application'));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const callback = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  const client = await addClient(postern, { name: 'Riverside Library', firstParty: true, redirectUris: [callback] });
  const config = await discover(postern, client);
  return {
    async begin(page, parameters = {}) {
      const asked = await request(config, { redirect_uri: callback, ...parameters });
      await page.goto(asked.url.href);
      return asked;
    },

    async back(page, asked) {
      await arrived(page, (url) => url.href.startsWith(callback) && url.searchParams.get('state') === asked.state);
      return (await redeem(asked, new URL(page.url()))).claims()!;
    },

    close: () => new Promise((closed) => server.close(() => closed())),
  };
}

/** A second click takes the place of what the first was on its way to: that is given up, and waited for no longer. */
export async function arrived(page: Page, there: (url: URL) => boolean): Promise<void> {
  try {
    await page.waitForURL(there);
  } catch (error) {
    if (!(error as Error).message.includes('net::ERR_ABORTED')) throw error;
    await page.waitForURL(there);
  }
}

/** Types address and password, as far as whatever comes then. */
export async function password(page: Page, email: string): Promise<void> {
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('main:not([data-page=login])');
}
