/*
 * Shows what is typed into a password field for as long as the button beside it is pressed. A page without it has no button.
 */
(() => {
  for (const button of document.querySelectorAll('[data-reveal]')) {
    const input = button.previousElementSibling;
    const show = (shown) => {
      input.type = shown ? 'text' : 'password';
      button.setAttribute('aria-pressed', String(shown));
    };

    button.hidden = false;
    // The field keeps the focus, and a phone its keyboard.
    button.addEventListener('mousedown', (event) => event.preventDefault());
    button.addEventListener('click', () => show(input.type === 'password'));
    // A password again before it is sent or left: what was typed into a text field a browser remembers and offers.
    input.form.addEventListener('submit', () => show(false));
    addEventListener('pagehide', () => show(false));
  }
})();
