import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Has every stack name files and lines of the sources, as if the program ran from these. The maps are read when the first
 * stack is asked for: `--enable-source-maps` would read them at each start, for 4 MB and 40 ms.
 */
export function nameSources(bundle) {
  const maps = new Map();

  function mapOf(url) {
    if (!maps.has(url)) {
      try {
        maps.set(url, new SourceMap(JSON.parse(readFileSync(fileURLToPath(`${url}.map`), 'utf8'))));
      } catch {
        maps.set(url, undefined);
      }
    }
    return maps.get(url);
  }

  const inSources = (frame) =>
    frame.replace(/(file:\/\/[^\s()]+):(\d+):(\d+)/, (place, url, line, column) => {
      const origin = url.startsWith(bundle.href) && mapOf(url)?.findOrigin(Number(line), Number(column));
      return origin?.fileName ? `${new URL(origin.fileName, url)}:${origin.lineNumber}:${origin.columnNumber}` : place;
    });

  Error.prepareStackTrace = (error, frames) => {
    let head = 'Error';
    try {
      head = Error.prototype.toString.call(error);
    } catch {
      // Whoever throws what has no words is told where, at least.
    }
    return [head, ...frames.map((frame) => `    at ${inSources(String(frame))}`)].join('\n');
  };
}
