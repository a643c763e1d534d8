/*
 * Asks the browser for a passkey, puts its answer into the form, and sends that. A page without
 * it, or a browser without passkeys, shows the rest of the page as it is.
 */
(() => {
  const { browserSupportsWebAuthn, browserSupportsWebAuthnAutofill, startAuthentication, startRegistration } =
    globalThis.SimpleWebAuthnBrowser;
  const section = document.querySelector('[data-passkey]');
  if (!section || !browserSupportsWebAuthn()) return;

  const form = section.closest('form');
  const button = section.querySelector('button');
  const failed = section.querySelector('[data-passkey-failed]');
  const optionsJSON = JSON.parse(section.dataset.options);
  const making = section.dataset.passkey === 'make';

  section.hidden = false;
  for (const other of form.querySelectorAll('details[data-other-way]')) other.open = false;

  function send(answer) {
    // What the server reads from the rest anyway, so that long keys fit into a form.
    const { publicKey, authenticatorData, publicKeyAlgorithm, ...response } = answer.response;
    const rest = making ? response : { ...response, authenticatorData };
    const field = document.createElement('input');
    field.type = 'hidden';
    field.name = 'passkey';
    field.value = JSON.stringify({ ...answer, response: rest });
    form.append(field);
    // Not requestSubmit: the fields beside it may well be empty.
    form.submit();
  }

  button.addEventListener('click', async () => {
    failed.hidden = true;
    button.disabled = true;
    try {
      send(await (making ? startRegistration({ optionsJSON }) : startAuthentication({ optionsJSON })));
    } catch (error) {
      // Another ceremony of this page took its place.
      if (error.name !== 'AbortError') failed.hidden = false;
    }
    button.disabled = false;
  });

  if (!('autofill' in section.dataset)) return;
  browserSupportsWebAuthnAutofill()
    .then((supported) => supported && startAuthentication({ optionsJSON, useBrowserAutofill: true }).then(send))
    // Nobody chose one: there is nothing to say.
    .catch(() => {});
})();
