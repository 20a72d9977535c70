// Keeps the tracking page fresh: refetches it while it is looked at and swaps the parts that changed.
const PAUSE = 20_000;

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } }).catch(() => null); // offline: try at the next turn
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-refresh]")) {
    const other = fresh.querySelector(`[data-refresh="${part.dataset.refresh}"]`);
    const typing = part.contains(document.activeElement) || [...part.querySelectorAll("textarea")].some((area) => area.value);
    if (other && !typing && other.innerHTML !== part.innerHTML) part.replaceWith(document.adoptNode(other));
  }
}

setInterval(refresh, PAUSE);
document.addEventListener("visibilitychange", refresh);
