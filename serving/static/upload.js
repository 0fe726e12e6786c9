/* Drag and drop, many at once: two files travel at a time; each keeps its own key, so that a retry doubles nothing. */
import { csrf } from "./page.js";

const form = document.getElementById("upload");
const list = document.getElementById("uploads");
const AT_ONCE = 2;
const waiting = [];
let travelling = 0;

const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

function add(files) {
  const fields = [...form.querySelectorAll("[name]")].filter((one) => one.value).map((one) => [one.name, one.value]);
  for (const file of files) {
    const item = document.createElement("li");
    const name = document.createElement("span");
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    const said = Object.assign(document.createElement("span"), { className: "small", textContent: "waiting" });
    name.textContent = file.name;
    bar.setAttribute("aria-label", `Handing in ${file.name}`);
    item.append(name, bar, said);
    list.append(item);
    waiting.push({ file, fields, item, bar, said, key: newKey() });
  }
  next();
}

function next() {
  while (travelling < AT_ONCE && waiting.length) send(waiting.shift());
}

function send(one) {
  travelling += 1;
  one.said.textContent = "on its way";
  const body = new FormData();
  for (const [name, value] of one.fields) body.append(name, value);
  body.append("file", one.file);
  const request = new XMLHttpRequest();
  request.open("POST", "/v1/sessions");
  request.setRequestHeader("x-csrf-token", csrf());
  request.setRequestHeader("idempotency-key", one.key);
  request.upload.onprogress = (event) => { if (event.lengthComputable) one.bar.value = event.loaded / event.total; };
  request.onload = () => (request.status < 300 ? done(one) : failed(one, sentence(request)));
  request.onerror = () => failed(one, "the service cannot be reached");
  request.onloadend = () => { travelling -= 1; next(); };
  request.send(body);
}

function sentence(request) {
  try {
    return JSON.parse(request.responseText).detail;
  } catch {
    return `the service answered ${request.status}`;
  }
}

function done(one) {
  one.bar.remove();
  one.said.textContent = "handed in";
  document.body.dispatchEvent(new Event("library-changed"));
}

function failed(one, why) {
  one.bar.remove();
  one.item.classList.add("failed");
  one.said.textContent = `not taken in: ${why}`;
  const again = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Try again" });
  again.addEventListener("click", () => {
    again.remove();
    one.item.classList.remove("failed");
    one.item.insertBefore(one.bar, one.said);
    waiting.push(one);
    next();
  });
  one.item.append(again);
}

if (form) {
  const input = document.getElementById("files");
  input.addEventListener("change", () => { add([...input.files]); input.value = ""; });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => { event.preventDefault(); form.classList.add("over"); });
  }
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) form.classList.remove("over"); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    add([...event.dataTransfer.files]);
  });
  window.addEventListener("beforeunload", (event) => { if (travelling || waiting.length) event.preventDefault(); });
}
