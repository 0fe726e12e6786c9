/* The sound of a session: drawn from peaks that the server computed, followed by the transcript. */
import { tell } from "./page.js";

const AROUND = 2; // seconds before and after an utterance
const clock = (s) => `${s >= 3600 ? `${Math.floor(s / 3600)}:` : ""}${String(Math.floor((s % 3600) / 60)).padStart(s >= 3600 ? 2 : 1, "0")}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

const box = document.getElementById("player");
const audio = box?.querySelector("audio");
let until = null;
let queue = [];

function playSpan([start, end]) {
  until = end + AROUND;
  audio.currentTime = Math.max(0, start - AROUND);
  audio.play().catch((error) => { // whoever stops it before it has begun knows why it is silent
    if (error.name !== "AbortError") tell("The recording cannot be played in this browser.");
  });
}

export function play(spans) {
  queue = [...spans];
  if (audio && queue.length) playSpan(queue.shift());
}

export function stop() {
  queue = [];
  until = null;
  audio?.pause();
}

const spanOf = (button) => button.dataset.play.split(",").map(Number);

function draw() {
  Promise.all([import(box.dataset.wave), fetch(box.dataset.peaks).then((a) => (a.ok ? a.json() : Promise.reject(a.status)))])
    .then(([{ default: WaveSurfer }, drawn]) => {
      const style = getComputedStyle(document.documentElement);
      const wave = box.querySelector(".wave");
      WaveSurfer.create({
        container: wave,
        height: wave.clientHeight,
        media: audio,
        peaks: [drawn.peaks.map((peak) => peak / 255)],
        duration: drawn.peaks.length * drawn.seconds,
        normalize: true,
        waveColor: style.getPropertyValue("--edge").trim(),
        progressColor: style.getPropertyValue("--accent").trim(),
        cursorColor: style.getPropertyValue("--ink").trim(),
        cspNonce: box.dataset.nonce,
      }).on("interaction", () => { until = null; queue = []; });
    })
    .catch(() => { box.querySelector(".wave").hidden = true; });
}

/* The utterance under way: the last one that has begun. */
function follower() {
  const lines = [...document.querySelectorAll("#lines [data-at]")];
  const starts = lines.map((line) => Number(line.dataset.at));
  let now = null;
  let touched = 0;
  for (const name of ["wheel", "touchmove"]) window.addEventListener(name, () => { touched = Date.now(); }, { passive: true });
  return (time, follow) => {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= time + 0.05) low = middle + 1;
      else high = middle;
    }
    const line = lines[low - 1] || null;
    if (line === now) return;
    now?.classList.remove("now");
    now?.removeAttribute("aria-current");
    now = line;
    if (!line) return;
    line.classList.add("now");
    line.setAttribute("aria-current", "true");
    if (follow && !audio.paused && Date.now() - touched > 4000) line.scrollIntoView({ block: "center" });
  };
}

function wire() {
  const part = (name) => box.querySelector(`[data-do="${name}"]`);
  const shown = box.querySelector("output");
  const seek = box.querySelector("input[type=range]");
  const follow = follower();
  const move = (seconds) => { until = null; audio.currentTime = Math.min(Math.max(0, audio.currentTime + seconds), audio.duration || Infinity); };
  part("toggle").addEventListener("click", () => { until = null; queue = []; if (audio.paused) audio.play(); else audio.pause(); });
  part("back").addEventListener("click", () => move(-5));
  part("on").addEventListener("click", () => move(5));
  part("speed").addEventListener("change", (event) => { audio.playbackRate = Number(event.target.value); });
  seek.addEventListener("input", () => { until = null; audio.currentTime = Number(seek.value); });
  for (const name of ["play", "pause", "ended"]) {
    audio.addEventListener(name, () => {
      part("toggle").textContent = audio.paused ? "Play" : "Pause";
      part("toggle").setAttribute("aria-pressed", String(!audio.paused));
    });
  }
  audio.addEventListener("timeupdate", () => {
    const time = audio.currentTime;
    shown.textContent = clock(time);
    seek.value = time;
    seek.setAttribute("aria-valuetext", clock(time));
    follow(time, part("follow").checked);
    if (until !== null && time >= until) {
      until = null;
      if (queue.length) playSpan(queue.shift());
      else audio.pause();
    }
  });
}

if (box) {
  wire();
  draw();
}

document.addEventListener("click", (event) => {
  const one = event.target.closest("[data-play]");
  if (one) play([spanOf(one)]);
  if (event.target.closest("[data-play-all]")) play([...event.target.closest("dialog").querySelectorAll("[data-play]")].map(spanOf));
  if (event.target.closest("[data-stop]")) stop();
  const edit = event.target.closest("[data-edit]");
  if (edit) {
    const dialog = document.getElementById("edit");
    window.htmx.ajax("GET", `${dialog.dataset.path}${edit.dataset.edit}?coded=${dialog.dataset.coded}`, { target: dialog, swap: "innerHTML" });
  }
});
for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", stop);
