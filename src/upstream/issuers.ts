import { Refusal } from '../lib/index.ts';
import type { Said } from './kind.ts';

/** For a provider that is in one place: whatever an operator says of it is a mistake. */
export const alwaysAt =
  (issuer: string) =>
  (said: Said): string => {
    if (said.issuer !== undefined) throw new Refusal('issuer_unused', `its issuer is always ${issuer}: leave it out`);
    noTenant(said);
    return issuer;
  };

/** For a provider that anybody may run: at `usual`, where there is such a place, unless the operator says otherwise. */
export const givenOr =
  (usual?: string) =>
  (said: Said): string => {
    noTenant(said);
    const issuer = said.issuer ?? usual;
    if (issuer === undefined)
      throw new Refusal('issuer_missing', 'where is it? Say its issuer, as its discovery document writes it');
    return issuer;
  };

function noTenant({ tenant }: Said): void {
  if (tenant !== undefined) throw new Refusal('tenant_unused', 'only microsoft has tenants: leave it out');
}
