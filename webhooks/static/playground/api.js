// The playground's interface (docs/playground-api.md) as functions.

const BASE = "/playground/api";

export class Refused extends Error {}

async function call(path, options) {
  let answer;
  try {
    answer = await fetch(`${BASE}${path}`, options);
  } catch {
    throw new Refused("The server cannot be reached. Your text is still here; try again.");
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(told.error ?? `The server answered ${answer.status}.`);
  return told;
}

const post = (path, body) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const describe = () => call("");
export const profile = async (name) => (await call(`/person?person=${encodeURIComponent(name)}`)).person;
export const send = (message) => post("/messages", message);
export const press = (pressed) => post("/press", pressed);

// Listens as one person until the returned function is called; comes back by itself when the stream breaks.
export function listen(person, on) {
  let source;
  let timer;
  let closed = false;

  function open() {
    source = new EventSource(`${BASE}/events?person=${encodeURIComponent(person)}`);
    for (const name of ["snapshot", "message", "person"]) {
      source.addEventListener(name, (event) => on[name](JSON.parse(event.data)));
    }
    source.addEventListener("open", () => on.connected(true));
    source.addEventListener("error", () => {
      if (closed) return;
      on.connected(false);
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, 2000);
    });
  }

  open();
  return () => {
    closed = true;
    clearTimeout(timer);
    source.close();
  };
}
