/** Asks the workspace for something. */
export async function get(path, parameters = {}) {
  const response = await fetch(`${path}?${new URLSearchParams(parameters)}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

/** Does something as a person. Gives the delivery; what could not be done comes as `{ ok: false, message }`. */
export async function act(user, action, details = {}) {
  const response = await fetch('/client/act', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, action, ...details }),
  });
  const body = await response.json();
  return response.ok ? body : { ok: false, message: body.error };
}

/** Calls back for every change a person may see, and once after every reconnection. */
export function listen(user, onChange, onReconnect) {
  const source = new EventSource(`/client/events?${new URLSearchParams({ user })}`);
  let opened = false;
  source.addEventListener('open', () => {
    if (opened) onReconnect();
    opened = true;
  });
  source.addEventListener('message', (event) => onChange(JSON.parse(event.data)));
  return () => source.close();
}
