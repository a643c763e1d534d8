/**
 * A refusal with a stable code that the person in front of it can do something about: a wrong setting, an address
 * already taken, an unknown client. Anything else that is thrown is a bug of ours.
 */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Refusal';
    this.code = code;
  }
}
