import type { OwnPage, OwnRoom } from './own.ts';

/** What somebody can prove themselves with beside the password. */
export const factorsPage = ({ ownFactors, passkeys, pages }: OwnRoom): OwnPage => ({
  name: 'factors',
  sensitive: true,
  async show(ctx, { person }, frame, form) {
    const { factors, codesLeft } = await ownFactors.list(person);
    const { factor = '', name = '' } = form ?? {};
    const naming = frame.error === 'name' ? { factor, name } : undefined;
    pages.show(ctx, 'account-factors', { ...frame, factors, codesLeft, naming, passkeys: passkeys.available });
  },
  decisions: {
    async remove(_ctx, { person }, form) {
      const result = await ownFactors.remove(person, form['factor'] ?? '');
      // The second of two clicks, or another tab was first: it is what was wanted.
      const there = 'error' in result && result.error !== 'gone';
      return there ? { error: result.error } : { to: 'factors', done: 'factor_removed' };
    },
    async rename(_ctx, { person }, form) {
      const result = await ownFactors.rename(person, form['factor'] ?? '', form['name']?.trim() ?? '');
      return 'error' in result ? { error: result.error } : { to: 'factors', done: 'factor_renamed' };
    },
    async codes(_ctx, { person }) {
      // The page they are shown on makes others; from here on no earlier ones count.
      await ownFactors.newCodes(person.id);
      return { to: 'recovery-codes' };
    },
  },
});
