/** A colour as red, green and blue from 0 to 255. */
type Rgb = readonly [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];

/** The grounds that text in the accent colour stands on: the card's in `views/assets/postern.css`, light and dark. */
const LIGHT_GROUNDS = ['#ffffff', '#f4f3f0'];
const DARK_GROUNDS = ['#1f2227', '#15171a'];

/** WCAG 2.2: success criterion 1.4.3 for text, 1.4.11 for the edge of a control. */
const READABLE = 4.5;
const VISIBLE = 3;

const parse = (hex: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;

const format = (colour: Rgb): string =>
  `#${colour.map((channel) => Math.round(channel).toString(16).padStart(2, '0')).join('')}`;

const mix = (from: Rgb, to: Rgb, share: number): Rgb =>
  from.map((channel, i) => channel + (to[i]! - channel) * share) as unknown as Rgb;

/** Relative luminance, WCAG 2.2. */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrastOf(a: Rgb, b: Rgb): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** The contrast of two colours written `#rrggbb`, from 1 to 21 (WCAG 2.2). */
export const contrast = (a: string, b: string): number => contrastOf(parse(a), parse(b));

/** The accent, moved towards `pole` in small steps until it stands out enough from every one of `grounds`. */
function standingOut(enough: number, grounds: readonly string[], accent: Rgb, pole: Rgb): string {
  for (let share = 0; share < 1; share += 0.02) {
    const candidate = format(mix(accent, pole, share));
    if (grounds.every((ground) => contrast(candidate, ground) >= enough)) return candidate;
  }
  return format(pole);
}

interface AccentColours {
  /** The operator's colour, as a surface, and the same under the pointer. */
  readonly surface: string;
  readonly surfaceHover: string;
  /** White or black, whichever can be read on both surfaces. */
  readonly onSurface: string;
  /** For links, focus rings and edges, readable as text on the light and on the dark page. */
  readonly inkLight: string;
  readonly inkDark: string;
  /** Around the surface, so that a button in the ground's own colour is still seen as one. */
  readonly edgeLight: string;
  readonly edgeDark: string;
}

/** All that is derived from the operator's one colour. One of white and black always reaches 4.58:1, so none is refused. */
export function accentColours(accent: string): AccentColours {
  const colour = parse(accent);
  const onSurface = contrastOf(WHITE, colour) >= READABLE ? WHITE : BLACK;
  return {
    surface: format(colour),
    // Away from the text's colour, so that the pointer can only make it easier to read.
    surfaceHover: format(mix(colour, onSurface === WHITE ? BLACK : WHITE, 0.14)),
    onSurface: format(onSurface),
    inkLight: standingOut(READABLE, LIGHT_GROUNDS, colour, BLACK),
    inkDark: standingOut(READABLE, DARK_GROUNDS, colour, WHITE),
    edgeLight: standingOut(VISIBLE, LIGHT_GROUNDS, colour, BLACK),
    edgeDark: standingOut(VISIBLE, DARK_GROUNDS, colour, WHITE),
  };
}

/** The generated stylesheet: the operator's colour as custom properties, since the CSP allows no inline style. */
export function brandStylesheet(accent: string): string {
  const colours = accentColours(accent);
  return `:root {
  --accent: ${colours.surface};
  --accent-hover: ${colours.surfaceHover};
  --on-accent: ${colours.onSurface};
  --accent-ink: ${colours.inkLight};
  --accent-edge: ${colours.edgeLight};
}
@media (prefers-color-scheme: dark) {
  :root {
    --accent-ink: ${colours.inkDark};
    --accent-edge: ${colours.edgeDark};
  }
}
`;
}
