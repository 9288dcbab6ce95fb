// Keeps the inbox current: waits for newer mail and takes the new list from the server, which renders everything.
const messages = document.getElementById("messages");
const main = document.querySelector("main.split");

const visible = () => document.visibilityState === "visible"
  ? Promise.resolve()
  : new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));

async function refresh() {
  const searching = document.activeElement?.type === "search";
  if (main.classList.contains("index") && !searching) {
    location.reload(); // the page shows the newest mail: all of it changes
    return;
  }
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  messages.innerHTML = page.getElementById("messages").innerHTML;
  document.getElementById("count").textContent = page.getElementById("count").textContent;
}

async function follow() {
  let since = messages.dataset.last;
  for (;;) {
    await visible();
    try {
      const answer = await fetch(`/dev/inbox/messages?wait=30s&since=${encodeURIComponent(since)}`);
      if (!answer.ok) throw new Error(answer.statusText);
      const { items } = await answer.json();
      if (items.length > 0) {
        since = items.at(-1).id;
        await refresh();
      }
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (button?.id === "clear" && confirm("Delete every message?")) {
    await fetch("/dev/inbox/messages", { method: "DELETE" });
    location.href = "/dev/inbox";
  }
  if (button?.dataset.copy) {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1200);
  }
});

if (messages) follow();
