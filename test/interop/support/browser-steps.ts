import type { Page } from 'playwright-core';

/** What a person does at Postern's sign-in page. */
export async function signInAt(page: Page, { email, password }: { email: string; password: string }): Promise<void> {
  await page.waitForSelector('main[data-page=login]');
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
