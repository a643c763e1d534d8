/**
 * words: every text a person reads, on a page or in a mail, in every language there is, and which language is theirs.
 *
 * It owns `views/messages/` and knows neither page nor mail: it gives back texts and pieces of texts, and whoever shows
 * them marks them up. It imports but lib/, so anyone may import it.
 */
export * from './languages.ts';
