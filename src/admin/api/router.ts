import { type Method, ROUTES, type Route } from './routes.ts';

export type Arguments = Readonly<Record<string, string>>;

/** What is at a path: its routes by method, and what stands in it for the names in braces. */
export interface Place {
  readonly routes: ReadonlyMap<Method, Route>;
  readonly inPath: Arguments;
}

interface Pattern {
  readonly parts: readonly string[];
  readonly routes: Map<Method, Route>;
}

const nameIn = (part: string): string | undefined => /^\{(\w+)\}$/.exec(part)?.[1];

/** Finds the place of a path below the base. */
export function router(routes: readonly Route[] = ROUTES): (path: string) => Place | undefined {
  const patterns = new Map<string, Pattern>();
  for (const route of routes) {
    const { parts, routes } = patterns.get(route.path) ?? { parts: route.path.split('/'), routes: new Map() };
    patterns.set(route.path, { parts, routes: routes.set(route.method, route) });
  }
  return (path) => {
    for (const { parts, routes } of patterns.values()) {
      const inPath = standingIn(parts, path.split('/'));
      if (inPath) return { routes, inPath };
    }
    return undefined;
  };
}

/** A URI may come with its slashes as they are: some proxies decode `%2F` on the way. */
function standingIn(pattern: readonly string[], given: readonly string[]): Arguments | undefined {
  const open = pattern.at(-1) === '{uri}';
  const parts = open ? [...given.slice(0, pattern.length - 1), given.slice(pattern.length - 1).join('/')] : given;
  if (parts.length !== pattern.length) return undefined;
  const inPath: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    const name = nameIn(part);
    const text = parts[at] ?? '';
    if (name === undefined ? part !== text : text === '') return undefined;
    // http/limits.ts has refused what cannot be decoded.
    if (name !== undefined) inPath[name] = decodeURIComponent(text);
  }
  return inPath;
}

/** A path with what its names in braces stand for. */
export const filled = (path: string, by: Readonly<Record<string, unknown>>): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(by[name])));
