/** ISO 8601 in UTC; null where there is no such moment. */
export const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());
