/**
 * lib: the words every room speaks: durations, clocks, identifiers, digests, sealing, the logger's shape.
 *
 * It owns no state and knows no noun of the domain. It imports nobody, so anyone may import it.
 */
export * from './addresses.ts';
export * from './clock.ts';
export * from './digest.ts';
export * from './durations.ts';
export * from './errors.ts';
export * from './folders.ts';
export * from './held-back.ts';
export * from './ids.ts';
export * from './iso.ts';
export * from './logger.ts';
export * from './return-memory.ts';
export * from './seal.ts';
