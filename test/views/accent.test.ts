import test from 'ava';
import fc from 'fast-check';
import { accentColours, contrast } from '../../src/http/accent.ts';

const anyAccent = fc.integer({ min: 0, max: 0xffffff }).map((n) => `#${n.toString(16).padStart(6, '0')}`);

const GROUNDS = { light: ['#ffffff', '#f4f3f0', '#faf9f7', '#f7f6f3'], dark: ['#15171a', '#191b1f', '#1f2227'] };

test('whatever the accent colour, text on it and in it can be read, on the light page and the dark one', (t) => {
  fc.assert(
    fc.property(anyAccent, (accent) => {
      const colours = accentColours(accent);
      const least = (ink: string, grounds: string[]) => Math.min(...grounds.map((ground) => contrast(ink, ground)));
      return (
        colours.surface === accent &&
        contrast(colours.onSurface, colours.surface) >= 4.5 &&
        contrast(colours.onSurface, colours.surfaceHover) >= 4.5 &&
        least(colours.inkLight, GROUNDS.light) >= 4.5 &&
        least(colours.inkDark, GROUNDS.dark) >= 4.5 &&
        least(colours.edgeLight, GROUNDS.light) >= 3 &&
        least(colours.edgeDark, GROUNDS.dark) >= 3
      );
    }),
    { numRuns: 2000, examples: [['#000000'], ['#ffffff'], ['#777777'], ['#ffff00'], ['#00ff00'], ['#0000ff']] },
  );
  t.pass();
});

test('contrast is what WCAG says it is', (t) => {
  t.is(contrast('#000000', '#ffffff'), 21);
  t.is(contrast('#abcdef', '#abcdef'), 1);
  t.is(contrast('#767676', '#ffffff').toFixed(2), '4.54');
});
