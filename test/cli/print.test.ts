import test from 'ava';
import fc from 'fast-check';
import { details, table, visible } from '../../src/cli/print.ts';

test('nothing a terminal would obey is printed', (t) => {
  t.is(visible('a\u001b[2Jb\u202ec\n'), 'a\\u{1b}[2Jb\\u{202e}c\\u{a}');
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (item) => {
      t.notRegex(details(item).replaceAll('\n', ''), /\p{C}/u);
    }),
  );
});

test('a thing is shown as aligned names and values, without what is nothing', (t) => {
  t.is(
    details({ id: 'x', name: null, admin: true, scopes: ['a', 'b'], none: [] }),
    'id      x\nadmin   yes\nscopes  a b\n',
  );
});

test('a list is one line for each under its columns, and says when there is none', (t) => {
  t.is(
    table(
      [
        { id: 'x', ttl: null },
        { id: 'long', ttl: 5 },
      ],
      ['id', 'ttl'],
    ),
    'id    ttl\nx     -\nlong  5\n',
  );
  t.is(table([], ['id']), 'none\n');
});
