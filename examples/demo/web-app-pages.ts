/** The sample web application's one page. */
interface Shown {
  readonly note?: string | undefined;
  readonly name?: string;
  readonly tokens?: readonly { title: string; about: string; header: string; claims: string }[];
  readonly answers?: readonly { request: string; status: number; body: string }[];
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const button = (action: string, label: string, quiet = false): string =>
  `<form method="post" action="${action}"><button${quiet ? ' class="quiet"' : ''}>${label}</button></form>`;

export function page({ note, name, tokens = [], answers = [] }: Shown): string {
  const told = note ? `<p class="note" role="status">${escaped(note)}</p>` : '';
  const body = name
    ? `<header><h1>Hello, ${escaped(name)}</h1><nav>${button('/refresh', 'Refresh the tokens')}${button('/sign-out', 'Sign out', true)}</nav></header>${told}
       <h2>What the API answered</h2><p class="hint">It fetched Postern’s public keys and checked the access token by itself.</p>
       ${answers.map(answer).join('')}
       <h2>The tokens, decoded</h2>${tokens.map(token).join('')}`
    : `<header><h1>Photo Prints</h1></header>${told}
       <p>A sample application. It keeps no passwords: Postern signs you in and tells it who you are.</p>${button('/sign-in', 'Sign in')}`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Photo Prints</title><link rel="stylesheet" href="/style.css"></head>
<body><main data-page="${name ? 'signed-in' : 'signed-out'}">${body}</main></body></html>`;
}

const answer = ({ request, status, body }: NonNullable<Shown['answers']>[number]): string =>
  `<section class="answer" data-status="${status}"><h3><code>${escaped(request)}</code> <span>${status}</span></h3><pre>${escaped(body)}</pre></section>`;

const token = ({ title, about, header, claims }: NonNullable<Shown['tokens']>[number]): string =>
  `<section class="token"><h3>${title}</h3><p class="hint">${about}</p><pre>${escaped(header)}</pre><pre>${escaped(claims)}</pre></section>`;

export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --quiet: #5a6573; --ground: #f6f4ef; --card: #fff; --line: #dcd8cf; --accent: #8a3b12; --on: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9e6df; --quiet: #a5a9af; --ground: #16181c; --card: #1f2228; --line: #363b44; --accent: #f0a878; --on: #16181c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 48rem; margin: 0 auto; padding: 3rem 1.25rem; }
header { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; justify-content: space-between; }
nav { display: flex; gap: .5rem; flex-wrap: wrap; }
h1 { font-size: 1.75rem; margin: 0; overflow-wrap: anywhere; } h2 { margin: 2.5rem 0 .25rem; font-size: 1.15rem; } h3 { margin: 0; font-size: 1rem; }
.hint { color: var(--quiet); margin: 0 0 .75rem; }
.note { border-left: 3px solid var(--accent); padding: .5rem .75rem; background: var(--card); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: .75rem 0; }
.answer h3 { display: flex; justify-content: space-between; gap: 1rem; }
pre { margin: .5rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.5 ui-monospace, monospace; }
button { font: inherit; min-height: 2.75rem; padding: 0 1.25rem; border: 1px solid var(--accent); border-radius: .5rem; background: var(--accent); color: var(--on); cursor: pointer; }
button.quiet { background: transparent; color: var(--accent); }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;
