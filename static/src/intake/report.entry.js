// Comforts of the report form; without scripts it is complete as it is.
// A draft survives a reload, pictures are shown before they are sent, and the position can be given.
import { t } from "../foundation/texts.js";

const form = document.querySelector("form[data-draft]");
const key = `draft:${form.dataset.draft}:${location.pathname}`;
const FIELDS = ["description", "severity", "name", "phone", "serial", "address", "email"];

function restore() {
  if (document.querySelector("[aria-invalid]")) return; // the server brought back what was typed
  const kept = JSON.parse(localStorage.getItem(key) ?? "{}");
  for (const name of FIELDS) {
    const field = form.elements[name];
    if (field && kept[name] && !field.value) field.value = kept[name];
  }
}

function keep() {
  const typed = Object.fromEntries(FIELDS.map((name) => [name, form.elements[name]?.value ?? ""]));
  localStorage.setItem(key, JSON.stringify(typed));
}

function preview(input) {
  const place = form.querySelector("[data-previews]");
  for (const image of place.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  place.replaceChildren(
    ...[...input.files].slice(0, 10).map((file, index) => {
      const frame = document.createElement("figure");
      const image = document.createElement("img");
      frame.className = "photo";
      image.src = URL.createObjectURL(file);
      image.alt = t("Photo %(number)s", { number: index + 1 });
      frame.append(image);
      return frame;
    }),
  );
}

function offerPosition(box) {
  const button = box.querySelector("button");
  const say = (text) => { button.querySelector("span").textContent = text; };
  box.hidden = false;
  button.addEventListener("click", () => {
    say(t("Finding you …"));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        form.elements.latitude.value = coords.latitude.toFixed(6);
        form.elements.longitude.value = coords.longitude.toFixed(6);
        form.elements.address.required = false;
        say(t("Position taken, within %(metres)s m", { metres: Math.round(coords.accuracy) }));
      },
      () => say(t("Your position is not available. Please type the address.")),
      { enableHighAccuracy: true, timeout: 15_000 },
    );
  });
}

restore();
form.addEventListener("input", keep);
form.elements.photos?.addEventListener("change", (event) => preview(event.target));
const box = form.querySelector("[data-position]");
if (box && navigator.geolocation && isSecureContext) offerPosition(box);
