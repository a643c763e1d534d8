/** openid-client, loaded when the first person is sent to a provider: most servers have none. */
export const library = () => import('openid-client');
