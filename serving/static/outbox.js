/* What was coded and has not reached the service yet. It is kept in this browser until it has: codes and
   ratings by number, never a word of what was said. */
import { send } from "./page.js";

const AFTER = 500; // milliseconds of quiet before it is sent
const AGAIN = 5000;

export class Outbox {
  constructor(review, report) {
    this.key = `msw-review-${review}`;
    this.path = `/v1/reviews/${review}`;
    this.report = report;
    this.pending = this.read();
    this.isSending = false;
    for (const back of ["online", "focus"]) window.addEventListener(back, () => this.flush());
    window.addEventListener("beforeunload", (event) => { if (!this.isEmpty() && !this.isKept) event.preventDefault(); });
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) || { codes: {}, ratings: {} };
    } catch {
      return { codes: {}, ratings: {} };
    }
  }

  write() {
    try {
      if (this.isEmpty()) localStorage.removeItem(this.key);
      else localStorage.setItem(this.key, JSON.stringify(this.pending));
      this.isKept = true;
    } catch {
      this.isKept = false;
    }
  }

  isEmpty() {
    return !Object.keys(this.pending.codes).length && !Object.keys(this.pending.ratings).length;
  }

  put(kind, name, value) {
    this.pending[kind][name] = value;
    this.write();
    this.report("waiting");
    this.later(AFTER);
  }

  later(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), milliseconds);
  }

  /* Sends what is pending; sent twice it is the same. True where nothing is left. */
  async flush() {
    clearTimeout(this.timer);
    if (this.isSending) { this.later(AFTER); return false; }
    if (this.isEmpty()) return true;
    const sent = structuredClone(this.pending);
    this.isSending = true;
    try {
      await send("PUT", this.path, sent);
    } catch (error) {
      this.isSending = false;
      if (error.status === 422 && this.drop(error.errors)) { this.later(0); return false; }
      this.report("failed", error);
      if (!error.status || error.status >= 500 || error.status === 429) this.later(AGAIN);
      return false;
    }
    this.isSending = false;
    for (const kind of ["codes", "ratings"]) {
      for (const [name, value] of Object.entries(sent[kind])) {
        if (this.pending[kind][name] === value) delete this.pending[kind][name];
      }
    }
    this.write();
    if (this.isEmpty()) { this.report("saved"); return true; }
    this.later(AFTER);
    return false;
  }

  /* Takes out what the service can never use, e.g. codes that the codebook no longer has. True if there was any. */
  drop(errors) {
    let dropped = false;
    for (const { field } of errors) {
      const [, kind, name] = /^body\.(codes|ratings)\.([^.]+)$/.exec(field) || [];
      if (kind && name in this.pending[kind]) { delete this.pending[kind][name]; dropped = true; }
    }
    this.write();
    return dropped;
  }

  forget() {
    this.pending = { codes: {}, ratings: {} };
    this.write();
  }
}
