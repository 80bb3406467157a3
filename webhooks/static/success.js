// Waits for a purchase to take effect, so that nobody has to reload the page.

const purchase = document.getElementById("purchase");
const session = purchase.dataset.session;
const LONGEST = 15000;

function show({ state, tier }) {
  if (tier) document.getElementById("tier").textContent = tier[0].toUpperCase() + tier.slice(1);
  purchase.dataset.state = state;
  for (const section of purchase.querySelectorAll("[data-when]")) {
    section.hidden = section.dataset.when !== state;
  }
}

async function look() {
  const answer = await fetch(`/billing/status?session_id=${encodeURIComponent(session)}`);
  if (answer.ok) show(await answer.json());
}

async function wait(pause) {
  if (purchase.dataset.state !== "pending") return;
  await new Promise((resolve) => setTimeout(resolve, pause));
  await look().catch(() => {}); // the server may be restarting: look again later
  await wait(Math.min(pause * 1.2, LONGEST));
}

wait(1000);
