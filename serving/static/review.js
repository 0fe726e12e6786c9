/* Blind coding: by list or by keyboard, saved as it goes. Keys hold only while an utterance has the focus. */
import { Outbox } from "./outbox.js";
import { send, tell } from "./page.js";

const review = document.getElementById("review");
const saved = document.getElementById("saved");
const units = [...document.querySelectorAll("[data-unit]")];
const keys = {};
for (const side of document.querySelectorAll("[data-keys]")) {
  keys[side.dataset.keys] = [...side.querySelectorAll("[data-code]")].map((one) => ({ ...one.dataset }));
}

const outbox = new Outbox(review.dataset.id, (state, error) => {
  saved.classList.toggle("unsaved", state === "failed");
  if (state === "saved") saved.textContent = `Everything is saved, ${new Date().toLocaleTimeString("en-GB", { timeStyle: "short" })}.`;
  else if (state === "waiting") saved.textContent = "Saving …";
  else if (!error.status) saved.textContent = "There is no connection. What you code is kept in this browser and sent when it is back.";
  else if (error.status === 401) saved.textContent = "You have been signed out. Sign in again in another tab, then come back here: what you coded is kept in this browser.";
  else if (error.status === 403) saved.textContent = "This page is out of date: reload it. What you coded is kept in this browser and sent then.";
  else saved.textContent = `Not saved: ${error.message}. What you coded is kept in this browser.`;
});

const listOf = (unit) => unit.querySelector("select");

/* All codes of the unit's role; filled in when the unit comes near, so that long sessions open quickly. */
function fill(unit) {
  const list = listOf(unit);
  if (list.options.length > 2 || list.dataset.full) return;
  const chosen = list.value;
  list.dataset.full = "yes";
  list.length = 1;
  for (const { code, name } of keys[unit.dataset.role]) list.add(new Option(name, code, false, code === chosen));
}

function show(unit, code) {
  fill(unit);
  listOf(unit).value = code || "";
  unit.classList.toggle("coded", Boolean(code));
  document.getElementById("count-codes").textContent = units.filter((one) => one.classList.contains("coded")).length;
}

function give(unit, code) {
  show(unit, code);
  outbox.put("codes", unit.dataset.unit, code || null);
}

/* One unit at a time is a tab stop, and the codes of its side are those shown. */
function settle(unit) {
  fill(unit);
  for (const one of units) if (one.tabIndex === 0 && one !== unit) setTab(one, -1);
  setTab(unit, 0);
  for (const side of document.querySelectorAll("[data-keys]")) side.hidden = side.dataset.keys !== unit.dataset.role;
}

function go(unit) {
  if (!unit) return;
  settle(unit);
  unit.focus({ preventScroll: true });
  unit.scrollIntoView({ block: "center" });
}

function setTab(unit, value) {
  unit.tabIndex = value;
  for (const inside of unit.querySelectorAll("select, button")) inside.tabIndex = value;
}

function onKey(event) {
  const unit = event.target;
  if (!unit.matches("[data-unit]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const place = units.indexOf(unit);
  const code = keys[unit.dataset.role].find((one) => one.key && one.key === event.key.toLowerCase());
  if (event.key === "ArrowDown") go(units[place + 1]);
  else if (event.key === "ArrowUp") go(units[place - 1]);
  else if (event.key === "Backspace" || event.key === "Delete") give(unit, "");
  else if (event.key === " ") unit.querySelector("[data-play]")?.click();
  else if (event.key === "n") go(units.find((one, at) => at > place && !one.classList.contains("coded")) || units.find((one) => !one.classList.contains("coded")));
  else if (code) { give(unit, code.code); go(units[place + 1]); } else return;
  event.preventDefault();
}

function wireCodes() {
  const near = new IntersectionObserver((seen) => {
    for (const one of seen) if (one.isIntersecting) { fill(one.target); near.unobserve(one.target); }
  }, { rootMargin: "800px" });
  for (const unit of units) near.observe(unit);
  const list = document.getElementById("lines");
  list.addEventListener("keydown", onKey);
  list.addEventListener("focusin", (event) => {
    const unit = event.target.closest("[data-unit]");
    if (unit) settle(unit);
  });
  list.addEventListener("change", (event) => give(event.target.closest("[data-unit]"), event.target.value));
  if (units[0]) setTab(units.find((one) => !one.classList.contains("coded")) || units[0], 0);
}

function countRatings() {
  const given = [...document.querySelectorAll("[data-element] input:checked")].filter((one) => one.value);
  document.getElementById("count-ratings").textContent = given.length;
}

function wireRatings() {
  document.getElementById("panel-ratings").addEventListener("change", (event) => {
    const element = event.target.closest("[data-element]").dataset.element;
    outbox.put("ratings", element, event.target.value ? Number(event.target.value) : null);
    countRatings();
  });
}

function wireTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const one of tabs) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = one !== tab;
    }
    tab.focus();
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      if (event.key === "ArrowRight" || event.key === "ArrowLeft") choose(tabs[(tabs.indexOf(tab) + 1) % tabs.length]);
    });
  }
}

/* What an earlier visit to this page could not send is shown and sent now. */
function takeUp() {
  for (const [number, code] of Object.entries(outbox.pending.codes)) {
    const unit = units.find((one) => one.dataset.unit === number);
    const isKnown = unit && (!code || keys[unit.dataset.role].some((one) => one.code === code));
    if (isKnown) show(unit, code);
    else delete outbox.pending.codes[number];
  }
  outbox.write();
  for (const [element, value] of Object.entries(outbox.pending.ratings)) {
    const choice = document.querySelector(`[data-element="${CSS.escape(element)}"] input[value="${value ?? ""}"]`);
    if (choice) choice.checked = true;
  }
  countRatings();
  if (!outbox.isEmpty()) outbox.flush();
}

function wireSubmit() {
  document.querySelector("[data-opens=submit-dialog]").addEventListener("click", () => {
    const left = Number(review.dataset.toCode) - units.filter((one) => one.classList.contains("coded")).length;
    document.getElementById("left").textContent = left ? `${left} ${left === 1 ? "utterance has" : "utterances have"} no code yet.` : "Every utterance has a code.";
  });
  document.getElementById("submit").addEventListener("click", async () => {
    try {
      if (!(await outbox.flush())) throw new Error("what you coded could not be saved yet; try again in a moment");
      await send("POST", `/v1/reviews/${review.dataset.id}/submit`);
      outbox.forget();
      location.assign(`/reviews/${review.dataset.id}/compare`);
    } catch (error) {
      document.getElementById("submit-dialog").close();
      tell(`Not submitted: ${error.message}.`);
    }
  });
}

wireCodes();
wireRatings();
wireTabs();
wireSubmit();
takeUp();
