/* global oidc */
const { issuer, client_id } = await (await fetch('/settings.json')).json();

// #region configure
const users = new oidc.UserManager({
  authority: issuer,
  client_id,
  redirect_uri: `${location.origin}/callback`,
  post_logout_redirect_uri: `${location.origin}/`,
  scope: 'openid profile email',
  // Shared by the tabs of this application: they refresh with the same token, even at the same moment.
  userStore: new oidc.WebStorageStateStore({ store: localStorage }),
  automaticSilentRenew: true,
});
// #endregion

const $ = (id) => document.getElementById(id);

async function show() {
  const user = await users.getUser();
  $('who').textContent = user && !user.expired ? `Hello ${user.profile.name}` : 'Who are you?';
}

const guarded = (work) => async () => {
  document.body.dataset.busy = '';
  $('problem').textContent = '';
  try {
    await work();
  } catch (error) {
    $('problem').textContent = error.message;
  }
  await show();
  delete document.body.dataset.busy;
};

// #region sign_in
$('sign-in').onclick = guarded(() => users.signinRedirect());
$('refresh').onclick = guarded(() => users.signinSilent());
$('sign-out').onclick = guarded(() => users.signoutRedirect());

if (location.pathname === '/callback') {
  await guarded(() => users.signinRedirectCallback())();
  history.replaceState({}, '', '/');
}
// #endregion

await show();
