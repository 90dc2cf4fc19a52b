// Sends a chosen file to where the page says that it goes: to the bucket, since no function takes one as large as that.
"use strict";

function put(link, file, bar) {
  return new Promise((sent, failed) => {
    const call = new XMLHttpRequest();
    call.open("PUT", link.dataset.put);
    for (const [name, value] of Object.entries(JSON.parse(link.dataset.headers))) {
      // These two are the browser's own to say.
      if (!["host", "content-length"].includes(name.toLowerCase())) call.setRequestHeader(name, value);
    }
    call.upload.onprogress = (now) => { bar.value = now.loaded / now.total; };
    call.onload = () => (call.status === 200 ? sent() : failed());
    call.onerror = failed;
    call.send(file);
  });
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-file]");
  if (!form) return;
  event.preventDefault();
  const [file] = form.querySelector("input[type=file]").files;
  const [bar, said, button] = ["progress", "[role=status]", "button"].map((what) => form.querySelector(what));
  const told = new URLSearchParams(new FormData(form));
  told.set("bytes", file.size);
  told.set("name", file.name.slice(0, 100));
  button.disabled = true;
  bar.hidden = false;
  said.textContent = `${file.name} is being sent.`;
  try {
    const answer = await fetch(form.action, { method: "POST", body: told, redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const link = page.querySelector("[data-put]");
    if (link) {
      await put(link, file, bar);
      location.assign(link.href);
    } else {
      document.querySelector("main").replaceWith(page.querySelector("main"));
    }
  } catch {
    said.textContent = "It could not be sent. Send it once more.";
    button.disabled = false;
    bar.hidden = true;
  }
});
