import type { RequestListener } from 'node:http';
import { seconds } from '../lib/index.ts';
import { Patience } from '../store/index.ts';

/** With what else a request does this stays below the 5 s after which whoever asks gives up. */
const LONGEST = seconds(4);

/** Lets a request wait only so long for its store, all that it asks of it together: then it fails, and is told so. */
export const patiently =
  (listener: RequestListener): RequestListener =>
  (req, res) => {
    const patience = new Patience(LONGEST);
    res.once('close', () => patience.end());
    patience.run(() => listener(req, res));
  };
