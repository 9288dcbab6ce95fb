// Keeps the list of traces current while it is looked at; one trace is a still picture.
const live = document.querySelector("[data-live]");

async function refresh() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.querySelector("[data-live]");
  if (next && next.innerHTML !== live.innerHTML) live.innerHTML = next.innerHTML;
}

if (live) {
  setInterval(() => {
    if (document.visibilityState === "visible") refresh().catch(() => {});
  }, 2000);
}
