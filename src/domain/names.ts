import { Refusal } from '../lib/index.ts';

const NAME = /^[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u;

/** What a person may be called. @throws Refusal `name_invalid` */
export function checkName(name: string | undefined): void {
  if (name !== undefined && !NAME.test(name))
    throw new Refusal('name_invalid', 'a name has 1 to 200 characters, none of them invisible');
}
