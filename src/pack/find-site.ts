/**
 * The script at the end of a boot page that hosts answer other paths with as well: the app's `404.html`, or the page of a single-page app. The page's own
 * links lead nowhere there. It tries the folders above, nearest first, until the client has run, which takes the boot record out of the page;
 * and says so where none has it. Made from the origin, since a path may begin with two slashes.
 */
export const findSite = `<script>
(function find(folder) {
  const record = document.getElementById('sluice-boot');
  if (record === null) return;
  const fail = (why) => {
    document.getElementById('sluice-title').textContent = 'The app could not be started';
    document.getElementById('sluice-bar').hidden = true;
    document.getElementById('sluice-status').textContent = why;
  };
  if (folder === '')
    return fail('No folder above this page has __sluice/client.js. Publish all files of the site. (bad-origin)');
  const script = document.createElement('script');
  try {
    script.src = location.origin + folder + '__sluice/client.js';
  } catch {
    return fail('The policy of this page does not let it look for the app: begin at its start page. (Trusted Types)');
  }
  script.onload = script.onerror = () => find(folder.replace(/[^/]*\\/$/, ''));
  document.head.append(script);
})(location.pathname.replace(/[^/]*$/, ''));
</script>
`;
