/** The examples that are an API and nothing else. */
export const API_NAMES = ['python-pyjwt', 'flask-api', 'django-api', 'fastapi', 'rust-axum', 'node-express'] as const;

export type ApiName = (typeof API_NAMES)[number];
