// A press is a click only where it ends on what it began on: nothing is drawn anew between the two.

const LONGEST = 1000; // milliseconds that drawing waits

let pressedAt = null;

const press = () => {
  pressedAt = performance.now();
};
const release = () =>
  setTimeout(() => {
    pressedAt = null;
  }); // after the click that it makes

addEventListener("pointerdown", press, true);
addEventListener("keydown", (event) => event.key === " " && !event.repeat && event.target.matches("button, summary") && press(), true);
for (const end of ["pointerup", "pointercancel", "keyup"]) addEventListener(end, release, true);

/** Comes back once nothing is pressed, or has been for too long to be a click. */
export async function released() {
  while (pressedAt !== null && performance.now() - pressedAt < LONGEST) await new Promise((go) => setTimeout(go, 20));
}
