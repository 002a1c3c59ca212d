// The line where one writes: Enter sends, Shift+Enter breaks the line, ↑ brings the last one back.

export const COMMAND = "/agent-usage";

export function composer({ form, field, hint, send, tell }) {
  const sent = [];
  let back = 0;

  function grow() {
    field.style.height = "auto";
    field.style.height = `${Math.min(160, field.scrollHeight + 2)}px`;
    const typed = field.value.trimStart().toLowerCase();
    const fits = typed.startsWith("/") && (COMMAND.startsWith(typed) || typed.startsWith(COMMAND));
    hint.hidden = !fits;
  }

  function put(text) {
    field.value = text;
    grow();
    field.setSelectionRange(text.length, text.length);
  }

  async function submit(event) {
    event?.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    const command = /^\/(\S*)\s*([\s\S]*)$/.exec(text);
    if (command && `/${command[1].toLowerCase()}` !== COMMAND) {
      tell(`/${command[1]} is not known here. The sandbox knows ${COMMAND}.`);
      return;
    }
    sent.push(text);
    back = sent.length;
    put("");
    const done = await (command ? send("command", command[2]) : send("say", text));
    if (!done && !field.value) put(text);
  }

  form.addEventListener("submit", submit);
  field.addEventListener("input", grow);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) submit(event);
    else if (event.key === "ArrowUp" && back > 0 && (!field.value || field.value === sent[back])) {
      event.preventDefault();
      put(sent[--back]);
    } else if (event.key === "Tab" && !event.shiftKey && !hint.hidden && field.value.length < COMMAND.length) {
      event.preventDefault();
      put(`${COMMAND} `);
    } else if (event.key === "Escape" && !hint.hidden) {
      event.preventDefault();
      hint.hidden = true;
    }
  });
  hint.querySelector("button").addEventListener("click", () => {
    if (!field.value.trimStart().toLowerCase().startsWith(COMMAND)) put(`${COMMAND} `);
    field.focus();
  });
}
