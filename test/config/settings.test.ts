import test from 'ava';
import fc from 'fast-check';
import { readDocument, readSettings, SettingsError, settingsJsonSchema } from '../../src/config/index.ts';
import { settingPaths, variableOf } from '../../src/config/load.ts';
import { days, hours, minutes, parseDuration, seconds } from '../../src/lib/index.ts';

const problemsOf = (env: Record<string, string>, yaml = ''): readonly string[] => {
  try {
    readSettings(env, yaml);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
};

test('without a file or a variable everything has its default', (t) => {
  const settings = readSettings({});
  t.is(settings.issuer, 'http://localhost:3000');
  t.is(settings.host, '127.0.0.1');
  t.is(settings.port, 3000);
  t.is(settings.ops_port, 9464);
  t.is(settings.tokens.access, minutes(15));
  t.is(settings.tokens.refresh_idle, days(7));
  t.is(settings.guesses.account, 10);
  t.true(Object.isFrozen(settings));
});

test('the environment wins over the file, one setting at a time', (t) => {
  const yaml = 'port: 4000\ntokens:\n  access: 5m\n  id: 6m\n';
  const settings = readSettings({ POSTERN_TOKENS_ACCESS: '7m' }, yaml);
  t.is(settings.port, 4000);
  t.is(settings.tokens.access, minutes(7));
  t.is(settings.tokens.id, minutes(6));
});

test('an empty variable is as good as none', (t) => {
  t.is(readSettings({ POSTERN_PORT: '' }).port, 3000);
});

test('what a file of variables leaves around a value is no part of it, and quotes are told', (t) => {
  const settings = readSettings({
    POSTERN_ISSUER: 'https://id.example.com\r',
    POSTERN_DATA: ' ./data\t',
    POSTERN_PORT: '1 ',
  });
  t.is(settings.issuer, 'https://id.example.com');
  t.is(settings.data, './data');
  t.is(settings.port, 1);
  for (const quote of ['"', "'"])
    t.deepEqual(
      problemsOf({
        POSTERN_DATA: `${quote}/srv/postern${quote}\r`,
        POSTERN_DATABASE_URL: `${quote}postgresql://postern:hunter2@db/postern${quote}`,
      }),
      ['POSTERN_DATA', 'POSTERN_DATABASE_URL'].map(
        (name) => `${name}: has quotes around its value, which would be part of it`,
      ),
    );
});

test('the file is the one that is named, and postern.yaml where an empty or a blank variable names none', (t) => {
  for (const name of ['', ' ', undefined]) t.is(readDocument({ POSTERN_CONFIG: name }).file, 'postern.yaml');
  t.is(readDocument({ POSTERN_CONFIG: 'package.json\r' }).file, 'package.json');
});

test('a number is digits, as a number or a text: what is empty, yes or no, or a list is none', (t) => {
  t.is(readSettings({ POSTERN_PORT: ' 8080 ' }).port, 8080);
  t.is(readSettings({}, 'port: "8080"\n').port, 8080);
  for (const value of ['', '~', 'true', 'no', '[8080]', '"0x10"', '"8e3"', '" "', '1.5', '.nan', '.inf', '-1', '70000'])
    t.deepEqual(
      problemsOf({}, `port: ${value}\n`),
      ['port (postern.yaml): must be a whole number from 0 to 65535'],
      value,
    );
  t.deepEqual(problemsOf({ POSTERN_OPS_PORT: ' ' }), [
    'ops_port (POSTERN_OPS_PORT): must be a whole number from 0 to 65535',
  ]);
});

test('every mistake is told at once, with its path, where it came from, and the nearest name', (t) => {
  const problems = problemsOf(
    { POSTERN_PORT: '70000', POSTERN_ISUER: 'https://id.example.com' },
    'issuer: https://id.example.com\ntokens:\n  acess: 5m\n  id: soon\nbrand:\n  accent: red\n',
  );
  t.is(problems.length, 5, problems.join('\n'));
  const said = (pattern: RegExp) =>
    t.true(
      problems.some((problem) => pattern.test(problem)),
      String(pattern),
    );
  said(/^port \(POSTERN_PORT\): /);
  said(/^POSTERN_ISUER: is no setting; did you mean POSTERN_ISSUER\?/);
  said(/^tokens\.acess \(postern\.yaml\): is no setting; did you mean tokens\.access\?/);
  said(/^tokens\.id \(postern\.yaml\): must be a length of time/);
  said(/^brand\.accent \(postern\.yaml\): must be a colour/);
});

test('a plain http issuer is refused unless it is this machine', (t) => {
  t.regex(problemsOf({ POSTERN_ISSUER: 'http://id.example.com' }).join(), /must be https/);
  for (const issuer of ['http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1', 'https://id.example.com'])
    t.deepEqual(problemsOf({ POSTERN_ISSUER: issuer }), [], issuer);
});

test('an issuer nobody set follows the port, the one a URL leaves out too', (t) => {
  t.is(readSettings({ POSTERN_PORT: '3001' }).issuer, 'http://localhost:3001');
  t.is(readSettings({ POSTERN_PORT: '80' }).issuer, 'http://localhost');
});

test('a proxy that is no network is told with every other mistake', (t) => {
  const problems = problemsOf({ POSTERN_TRUSTED_PROXIES: '10.0.0.0/8,proxy.local', POSTERN_PORT: '-1' });
  t.is(problems.length, 2);
  t.regex(
    problems.join('\n'),
    /^trusted_proxies\.1 \(POSTERN_TRUSTED_PROXIES\): "proxy\.local" is no address and no CIDR range$/m,
  );
});

test('an issuer that is more than an origin is refused', (t) => {
  for (const issuer of ['https://a.example/', 'https://a.example/x', 'https://a.example?x', 'https://u@a.example', 'a'])
    t.is(problemsOf({ POSTERN_ISSUER: issuer }).length, 1, issuer);
});

test('a file that is not settings is told as such', (t) => {
  t.regex(problemsOf({}, '- a\n- b\n').join(), /must hold settings/);
  t.is(problemsOf({}, 'a: [').length, 1);
  t.deepEqual(problemsOf({}, 'tokens.access: 5m\n'), [
    'tokens.access (postern.yaml): a dot is a level in the file: write tokens: { access: … }',
  ]);
});

test('lengths of time are read in every unit, and nothing else is', (t) => {
  t.is(parseDuration('30s'), seconds(30));
  t.is(parseDuration('15m'), minutes(15));
  t.is(parseDuration('2h'), hours(2));
  t.is(parseDuration('7d'), days(7));
  t.is(parseDuration('500ms'), 500);
  for (const wrong of ['', '15', 'm', '-1m', '1.5h', '1 m', '1w', '9999999999s', '１m'])
    t.is(parseDuration(wrong), undefined, wrong);
});

test('a length of time with which nothing would work is refused, not found out at the first sign-in', (t) => {
  for (const name of ['TOKENS_ACCESS', 'TOKENS_ID', 'TOKENS_CODE', 'SESSIONS_LIFETIME', 'SIGNING_ROTATE_AFTER'])
    for (const wrong of ['0s', '999ms', '99999999d'])
      t.regex(
        problemsOf({ [`POSTERN_${name}`]: wrong }).join(),
        /: must be from \d+[sm] to 3650d$/,
        `${name} ${wrong}`,
      );
  for (const unsaid of ['-5', '900', '0', '1.5'])
    t.regex(
      problemsOf({}, `tokens:\n  access: ${unsaid}\n`).join(),
      /^tokens\.access \(postern\.yaml\): must be a length of time such as 30s/,
    );
  t.like(
    settingsJsonSchema(),
    { properties: { tokens: { properties: { access: { type: 'string' } } } } },
    'editors say so too',
  );
  t.deepEqual(problemsOf({ POSTERN_SHUTDOWN_DELAY: '0s', POSTERN_TOKENS_REFRESH_RETRY: '0s' }), []);
});

test('a mail server’s password that cannot be read is a mistake, told without it', (t) => {
  for (const url of ['smtp://postern:50%off@mail.example.com', 'smtp://50%off@mail.example.com']) {
    const [problem = ''] = problemsOf({ POSTERN_SMTP_URL: url });
    t.regex(problem, /^smtp_url \(POSTERN_SMTP_URL\): must have each % /);
    t.notRegex(problem, /50/);
  }
  t.deepEqual(problemsOf({ POSTERN_SMTP_URL: 'smtp://postern:50%25off@mail.example.com' }), []);
});

test('an audience is neither this server itself, which refresh tokens are for, nor part of a document', (t) => {
  for (const audience of ['https://id.example.com', 'https://ID.example.com:443/'])
    t.regex(
      problemsOf({ POSTERN_ISSUER: 'https://id.example.com', POSTERN_AUDIENCE: audience }).join(),
      /^audience \(POSTERN_AUDIENCE\): is this server itself/,
    );
  t.regex(problemsOf({ POSTERN_AUDIENCE: 'https://api.example.com#files' }).join(), /must have no fragment/);
  t.deepEqual(problemsOf({ POSTERN_AUDIENCE: 'urn:example:api' }), []);
});

test('whatever the environment and the file hold, the answer is settings or a list of mistakes', (t) => {
  const variable = fc.constantFrom(...settingPaths().map(variableOf), 'POSTERN_X');
  fc.assert(
    fc.property(fc.dictionary(variable, fc.string()), fc.string(), (env, yaml) => {
      problemsOf(env, yaml);
    }),
    { numRuns: 300 },
  );
  t.pass();
});
