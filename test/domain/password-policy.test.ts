import test from 'ava';
import fc from 'fast-check';
import { createPasswordPolicy } from '../../src/domain/password-policy.ts';
import { Refusal } from '../../src/lib/index.ts';

const own = ['ada.lovelace@example.com', 'Ada Lovelace'];
const policy = createPasswordPolicy({
  settings: { minimum: 8, minimum_alone: 15 },
  serverWords: ['Wolkenstein', 'id.wolkenstein.example'],
});

async function verdict(password: string, alone = false): Promise<string> {
  try {
    await policy.check(password, { own, alone });
    return 'fine';
  } catch (error) {
    return error instanceof Refusal ? error.code : String(error);
  }
}

test('any characters will do: words, spaces, signs, emoji, any alphabet, without rules of composition', async (t) => {
  for (const password of [
    'correct horse',
    'zwölf Boxkämpfer',
    '🗝️🐎🔋📎🏰🧵🎈🐙',
    'тихий омут чертей',
    'qwmzptlsxk',
    '83920174',
    '#!%&?=+~',
  ])
    t.is(await verdict(password), 'fine', password);
});

test('it has 8 to 128 characters, and more where nothing else is asked for', async (t) => {
  t.is(await verdict('x7%k2w!'), 'password_too_short');
  t.is(await verdict('x7%k2w!q'), 'fine');
  t.is(await verdict('x7%k2w!q', true), 'password_too_short');
  t.is(await verdict('x7%k2w!q and more', true), 'fine');
  const long = Array.from({ length: 128 }, (_, i) => String.fromCodePoint(0x1f400 + i * 3)).join('');
  t.is(await verdict(long), 'fine');
  t.is(await verdict(`${long}x`), 'password_too_long');
  t.is(policy.minimum(true), 15);
  t.is(policy.minimum(false), 8);
});

test('what many people choose is refused, however it is spelt, repeated or decorated', async (t) => {
  for (const password of [
    'password',
    'Password1',
    'P@ssw0rd',
    'ｐａｓｓｗｏｒｄ',
    'passwordpassword',
    'password1!',
    '!!iloveyou!!',
    'football',
    'qwertyuiop',
    '12345678',
    '87654321',
    'abcdefghijkl',
    'aaaaaaaaaaaa',
    'abcabcabcabc',
    '🔑'.repeat(20),
  ])
    t.is(await verdict(password), 'password_common', password);
});

test('a long password is not refused for the common word in it', async (t) => {
  for (const password of ['password of the old lighthouse', 'my football is green', '1234 buckets of paint'])
    t.is(await verdict(password), 'fine', password);
});

test('what is made of the person’s own words, or the server’s, is refused', async (t) => {
  for (const password of [
    'ada.lovelace@example.com',
    'AdaLovelace',
    'lovelace1815',
    'ada-lovelace-1!',
    'Lov3lace2024',
    'wolkenstein!',
    'Wolkenstein2025',
    'adalovelaceada',
    'example.com99',
  ])
    t.is(await verdict(password), 'password_personal', password);
  for (const password of ['lovelace writes engines', 'a river runs past ada', 'communication theory'])
    t.is(await verdict(password), 'fine', password);
});

test('whatever is given, it is fine or refused in words, and length is told before anything else', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (password) => {
      const { length } = [...password.normalize('NFKC')];
      const said = await verdict(password);
      if (length < 8) return said === 'password_too_short';
      if (length > 128) return said === 'password_too_long';
      return /^(fine|password_(common|personal))$/.test(said);
    }),
  );
  t.pass();
});
