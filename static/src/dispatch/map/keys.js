// The keyboard. Arrows move the map (Shift: further), + and − bring it closer or away, 0 shows all. Tab goes from one
// thing in the window to the next and out behind the last, Esc lets the next Tab go out at once; Enter chooses.

const STEP = 64; // px
const LEAP = 256;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Keys {
  #scene;
  #hands;
  #leaving = false;

  constructor(scene, hands) {
    this.#scene = scene;
    this.#hands = hands;
    const { stage } = scene.view;
    stage.addEventListener('keydown', event => this.#press(event));
    stage.addEventListener('blur', () => {
      this.#leaving = false;
      this.#leave();
    });
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { pen } = this.#scene;
    const done = pen.drawing && pen.press(event) ? true : this.#go(event);
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #go({ key, shiftKey }) {
    const scene = this.#scene;
    const arrow = ARROWS[key];
    if (key === 'Tab') return !scene.pen.drawing && !this.#leaving && this.#tab(shiftKey ? -1 : 1);
    this.#leaving = false;
    if (arrow) scene.glide(scene.ground.moved(...arrow.map(by => by * (shiftKey ? LEAP : STEP)), scene.target));
    else if (key === '+' || key === '=') this.#hands.zoom(2);
    else if (key === '-' || key === '_') this.#hands.zoom(1 / 2);
    else if (key === '0') scene.fit();
    else return this.#list(key);
    scene.speak();
    return true;
  }

  #list(key) {
    const scene = this.#scene;
    const { list } = scene;
    if (key === 'Escape') return this.#escape();
    if (!['Home', 'End', 'Enter', ' '].includes(key)) return false;
    scene.settle();
    if (key === 'Home' || key === 'End') {
      if (list.end(key === 'End')) scene.stand();
    } else if (list.mark) scene.choose(list.mark);
    return true;
  }

  #tab(by) {
    const scene = this.#scene;
    scene.settle();
    const stepped = scene.list.step(by);
    if (stepped) scene.stand();
    else this.#leave();
    return stepped;
  }

  // First what was opened, then the place in the list, then what is chosen.
  #escape() {
    const scene = this.#scene;
    if (scene.close()) return true;
    this.#leaving = true;
    if (scene.list.mark) this.#leave();
    else if (scene.selected) scene.choose(null);
    else return false;
    return true;
  }

  #leave() {
    if (!this.#scene.list.mark) return;
    this.#scene.list.leave();
    this.#scene.stand();
  }
}
