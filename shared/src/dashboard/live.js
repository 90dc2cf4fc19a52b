// Shows what has changed while somebody looks: the page is read once more and put in its own place, unless they are at work in it.
"use strict";
const EVERY = 15000;
const at = (page) => page.querySelector("main[data-live]");
const busy = () => document.hidden || at(document).contains(document.activeElement) || at(document).querySelector("details[open]");

async function look() {
  if (!busy()) {
    try {
      const answer = await fetch(location.href, { redirect: "error" });
      const read = answer.ok && at(new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (read && !busy()) at(document).replaceChildren(...read.childNodes);
    } catch {
      // Whoever is logged out, or off the network, sees what there was.
    }
  }
  setTimeout(look, EVERY);
}

if (at(document)) setTimeout(look, EVERY);
