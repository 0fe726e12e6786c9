/* What the modules share; importing it does nothing by itself. */
export const csrf = () => document.querySelector('meta[name="csrf-token"]').content;

export function tell(text) {
  const notice = document.getElementById("notice");
  notice.textContent = text.charAt(0).toUpperCase() + text.slice(1);
  notice.hidden = false;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { notice.hidden = true; }, 9000);
}

export function localTimes(root = document) {
  const form = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[datetime]")) time.textContent = form.format(new Date(time.dateTime));
}

/* Sends JSON to the API; gives the answer's JSON or throws an Error with a sentence and a status. */
export async function send(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { "content-type": "application/json", "x-csrf-token": csrf() },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  throw Object.assign(new Error(said.detail || `the service answered ${answer.status}`), { status: answer.status, errors: said.errors || [] });
}
