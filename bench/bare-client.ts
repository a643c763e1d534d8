/** The one client of children/bare-engine.ts. */
export const BARE = {
  id: 'bench-client-of-a-usual-length',
  secret: 'a-secret-of-forty-three-characters-as-ours-x',
  resource: 'https://files.example.com',
  scope: 'files.read files.write',
} as const;
