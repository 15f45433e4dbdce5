// The control API of this workspace.

async function answer(response) {
  const body = await response.json();
  if (!response.ok) throw new Error(body.error || `status ${response.status}`);
  return body;
}

/** POST /_control/NAME; throws an Error with the server's words when it refuses. */
export async function act(name, fields) {
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) };
  return answer(await fetch(`/_control/${name}`, request));
}

/** GET /_control/NAME. */
export async function look(name, query = {}) {
  return answer(await fetch(`/_control/${name}?${new URLSearchParams(query)}`));
}

/** Listen to changes a user may see; `began` is called at the start and after every break. */
export function listen(user, began, changed) {
  const source = new EventSource(`/_feed?user=${encodeURIComponent(user)}`);
  source.addEventListener("open", began);
  source.addEventListener("message", (event) => changed(JSON.parse(event.data)));
  return () => source.close();
}
