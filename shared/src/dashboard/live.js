// Shows what has changed while somebody looks: the page is read once more and put in its own place, unless they are at work in it.
"use strict";
const main = (page) => page.querySelector("main");
const busy = () => document.hidden || !main(document).dataset.live || main(document).contains(document.activeElement) || main(document).querySelector("details[open]");

async function look() {
  if (!busy()) {
    try {
      const answer = await fetch(location.href, { redirect: "error" });
      const read = answer.ok && main(new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (read && !busy()) main(document).replaceWith(read);
    } catch {
      // Whoever is logged out, or off the network, sees what there was.
    }
  }
  again();
}

// A page that changes no more does not say when to look again.
function again() {
  const { live } = main(document).dataset;
  if (live) setTimeout(look, Number(live) * 1000);
}

again();
