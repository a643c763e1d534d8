import test from 'ava';
import { placeFrom, samePlace } from '../../src/cli/whole/place.ts';

test('two URLs are one database where they lead to one, by whatever name and password', (t) => {
  const same = (one: string, other: string) => samePlace(placeFrom(one), placeFrom(other));
  t.true(same('postgresql://a:x@db/postern', 'postgres://b:y@db:5432/postern?sslmode=require'));
  t.true(same('postgresql://db/postern', 'postgresql:///postern?host=db&port=5432'));
  t.true(same('postgresql:///postern?host=/run/pg', 'postgresql://ann@x/postern?host=/run/pg'));
  t.false(same('postgresql:///postern?host=/run/pg', 'postgresql:///postern?host=/run/other'));
  t.false(same('postgresql://one/postern', 'postgresql://one/postern?host=two'));
  t.false(same('postgresql://db/postern', 'postgresql://db:5433/postern'));
  t.false(same('postgresql://db/postern', 'postgresql://db/other'));
  t.false(same('postgresql://db/postern', 'file:/var/lib/postern'));
});
