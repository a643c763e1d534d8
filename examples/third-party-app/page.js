/** The one page of Photo Prints. */
const escaped = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const button = (action, label) => `<form method="post" action="${action}"><button>${label}</button></form>`;

export const page = ({ problem, status, answer }) => `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Photo Prints</title>
  <h1>Photo Prints</h1>
  ${problem ? `<p role="alert">${escaped(problem)}</p>` : ''}
  ${
    answer
      ? `<p>Your drive answered <b id="status">${status}</b></p>
  <pre id="answer">${escaped(JSON.stringify(answer, null, 2))}</pre>
  ${button('/add', 'Add a file')}`
      : button('/connect', 'Connect your drive')
  }
</html>
`;
