"use strict";
(() => {
  const main = document.querySelector("main");
  const byId = (id) => document.getElementById(id);

  // The token leaves the address at once, so that it is neither in the history nor on the screen; a reload still has it.
  const here = new URL(location.href);
  const token = here.searchParams.get("token") || (history.state && history.state.token) || "";
  if (here.searchParams.has("token")) history.replaceState({ token }, "", here.pathname);

  const show = (id) => {
    for (const section of main.querySelectorAll("section")) section.hidden = section.id !== id;
    const heading = byId(id).querySelector("h1");
    document.title = heading.textContent + " · Atrium";
    heading.focus();
  };

  const say = (id, text) => {
    const element = byId(id);
    if (!element) return;
    element.textContent = text;
    element.hidden = !text;
  };

  const mark = (input, text) => {
    say(input.id + "-error", text);
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };

  const wrong = (input) => {
    const v = input.validity;
    if (v.valueMissing) return "Please fill this in.";
    if (v.typeMismatch) return "This is not an e-mail address.";
    if (v.tooShort || (input.minLength > 0 && input.value && input.value.length < input.minLength)) return "Use at least " + input.minLength + " characters.";
    return "";
  };

  const check = (form) => {
    let first = null;
    for (const input of form.querySelectorAll("input")) {
      const text = wrong(input);
      mark(input, text);
      if (text && !first) first = input;
    }
    if (first) first.focus();
    return !first;
  };

  const post = async (path, body) => {
    const answer = await fetch(path, {
      method: "POST", credentials: "same-origin", cache: "no-store", referrerPolicy: "no-referrer",
      headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (answer.ok) return null;
    const problem = await answer.json().catch(() => ({}));
    return { ...problem, status: answer.status, wait: Number(answer.headers.get("Retry-After")) || 0 };
  };

  const sentence = (problem) => {
    const wait = problem.wait ? " Try again in " + (problem.wait > 90 ? Math.ceil(problem.wait / 60) + " minutes." : problem.wait + " seconds.") : "";
    return (problem.detail || "Something went wrong on our side; please try again.") + wait;
  };

  // What the service says of a field stands at the field; it never repeats what was typed.
  const placed = (form, problem) => {
    let first = null;
    for (const e of problem.errors || []) {
      const input = form.elements.namedItem(String(e.field).replace(/^body\./, ""));
      if (!(input instanceof HTMLInputElement)) continue;
      const label = form.querySelector('label[for="' + input.id + '"]').firstChild.textContent.trim();
      mark(input, "The " + label.toLowerCase() + " " + e.message + ".");
      first = first || input;
    }
    if (first) first.focus();
    return first !== null;
  };

  const submit = (form, notice, act) => {
    const button = form.querySelector("button[type=submit]");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.getAttribute("aria-busy") === "true" || !check(form)) return;
      say(notice, "");
      button.setAttribute("aria-busy", "true");
      try {
        await act();
      } catch {
        say(notice, "The service cannot be reached. Check your connection and try again.");
      } finally {
        button.removeAttribute("aria-busy");
      }
    });
  };

  // act sends what a form says, with the token. The first form may need no more than the browser's cookie; when that is not enough, the
  // page asks for more.
  const act = (form, notice) => submit(form, notice, async () => {
    const body = { token };
    for (const input of form.querySelectorAll("input")) if (input.value) body[input.name] = input.value;
    const problem = await post(main.dataset.action, body);
    if (!problem) {
      history.replaceState(null, "", here.pathname);
      form.reset();
      show("done");
    } else if (main.dataset.otherwise && problem.code === main.dataset.otherwise) {
      show("otherwise");
    } else if (/^link_/.test(problem.code || "") || problem.code === "already_set_up") {
      say("reason", problem.detail);
      show("failed");
    } else if (!placed(form, problem)) {
      say(notice, sentence(problem));
    }
  });
  act(byId("form"), "notice");
  for (const way of main.querySelectorAll("form.way")) act(way, way.dataset.notice);

  for (const button of main.querySelectorAll("[data-go]")) {
    button.addEventListener("click", () => location.assign(button.dataset.go + "?token=" + encodeURIComponent(token)));
  }

  const again = byId("again");
  if (again) {
    submit(again, "again-notice", async () => {
      const problem = await post(main.dataset.again, { email: byId("again-email").value });
      if (!problem) show("sent");
      else say("again-notice", sentence(problem));
    });
  }

  for (const button of document.querySelectorAll("[data-reveal]")) {
    button.addEventListener("click", () => {
      const input = byId(button.dataset.reveal);
      const visible = input.type === "password";
      input.type = visible ? "text" : "password";
      button.textContent = visible ? "Hide" : "Show";
      button.setAttribute("aria-pressed", String(visible));
    });
  }

  if (!token) show("failed");
})();
