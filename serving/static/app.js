/* On every page: the CSRF secret with every change, errors as a notice, times in the reader's own zone, dialogs. */
import { csrf, localTimes, tell } from "./page.js";

document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["x-csrf-token"] = csrf(); });
document.addEventListener("htmx:responseError", (event) => tell(event.detail.xhr.responseText || "This did not work."));
document.addEventListener("htmx:sendError", () => tell("The service cannot be reached at the moment."));
document.addEventListener("htmx:afterSwap", (event) => localTimes(event.detail.target.parentElement || document));

/* Opens and closes dialogs: a button names its dialog; a fragment that lands in a dialog opens it. */
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog").close();
  if (closer?.hasAttribute("data-reloads")) location.reload();
});
document.addEventListener("htmx:afterSettle", (event) => {
  const dialog = event.detail.target.closest?.("dialog");
  if (dialog && !dialog.open) dialog.showModal();
});
localTimes();
