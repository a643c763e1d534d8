import { DIFFERENCES, type Moved, type Restored } from '../../domain/index.ts';
import { iso } from '../../lib/index.ts';
import { visible } from '../print.ts';

/** What a restore cannot know, whatever it is put in place of. */
const RECHECK = [
  'people who were disabled or removed since are back, and may sign in',
  'applications that were removed since are back, and secrets that were changed since are good again',
  'passwords, second factors and passkeys are those of the backup: whoever changed one because it was stolen must do so again',
  'consents that were withdrawn since are back',
  'keys that were brought with postern keys import have to be brought again',
];

interface Source {
  readonly file: string;
  readonly takenAt: number;
  readonly into: string;
}

/** `--json` of a restore. */
export const restoredJson = (
  { file, takenAt, into }: Source,
  { at, rows, ended, kids, recoveryCodes, differences }: Restored,
) => ({
  file,
  into,
  taken_at: iso(takenAt),
  restored_at: iso(at),
  rows,
  ended,
  new_keys: kids,
  recovery_codes_ended: recoveryCodes,
  ...(differences && { undone: differences }),
  recheck: RECHECK,
});

/** The same for whoever sits there. */
export function restoredText(result: ReturnType<typeof restoredJson>): string {
  const { file, into, taken_at, rows, recovery_codes_ended, undone, new_keys, recheck } = result;
  const lines = [
    `${into} is as ${file} has it, taken ${taken_at}: ${people(rows['accounts'] ?? 0)}, ${count(rows['clients'] ?? 0, 'application')}.`,
    '',
    'Nothing issued before now is good any more: sessions, codes, access and refresh tokens, pushed requests, mailed links.',
    `Everybody signs in again. Tokens are signed by new keys: ${new_keys.join(', ')}.`,
  ];
  if (recovery_codes_ended > 0)
    lines.push(
      '',
      `${people(recovery_codes_ended)} had recovery codes. They are gone, because some may have been used since: whoever signs in`,
      'with another second factor is shown new ones; whoever has lost that one needs your help.',
    );
  const listed = Object.entries(undone ?? {}).filter(([, { total }]) => total > 0);
  if (listed.length > 0) lines.push('', 'Against what was there before:');
  for (const [name, { total, first }] of listed) {
    const names = first.length > 0 ? `: ${first.join(', ')}${total > first.length ? ', …' : ''}` : '';
    lines.push(`  ${total} ${DIFFERENCES[name as keyof typeof DIFFERENCES]}${names}`);
  }
  lines.push('', `Look at what was decided since ${taken_at}; it is undone:`, ...recheck.map((each) => `  ${each}`));
  return `${lines.map(visible).join('\n')}\n`;
}

/** `--json` of a move. */
export const movedJson = (from: string, to: string, { at, rows, total, digest, finished }: Moved) => ({
  from,
  to,
  moved_at: iso(at),
  finished_earlier: finished,
  rows,
  total,
  digest,
});

export const movedText = ({ from, to, total, digest }: ReturnType<typeof movedJson>, next: string): string =>
  [
    `${from} is in ${to} now: ${count(total, 'row')}, the same on both sides (digest ${digest.slice(0, 16)}).`,
    `${from} refuses to start from now on.`,
    `Next: ${next}, keep the keys folder, and start.`,
    '',
  ].join('\n');

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const people = (n: number): string => (n === 1 ? '1 person' : `${n} people`);
