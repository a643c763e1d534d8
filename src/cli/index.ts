/**
 * cli: what an operator types, and the socket through which a running server does it.
 *
 * It owns words, options, prompts and the form of what is printed; what is done is in ../operations/, one table for a
 * running server and a stopped one. It decides nothing about people, clients or keys: the domain does. Besides main.ts
 * it alone may touch `process`, and only in cli/main.ts.
 */
export { createProgram } from './program.ts';
