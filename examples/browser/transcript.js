// Questions and answers, one below the other.

import { element, keepAtEnd } from './elements.js';

export class Transcript {
  #log;
  /** Turns that the model still knows, oldest first. */
  #known = [];
  /** The note between those that it forgot and those it knows. */
  #limit = null;

  constructor(log) {
    this.#log = log;
  }

  get isEmpty() {
    return this.#log.childElementCount === 0;
  }

  /**
   * A question, whose answer is to come.
   * @param {boolean} isStory its answer continues it
   */
  add(question, isStory) {
    // Read aloud when it is complete, not token by token.
    this.#log.setAttribute('aria-busy', 'true');
    const turn = new Turn(question, isStory);
    this.#log.append(turn.element);
    scrollTo(0, document.documentElement.scrollHeight);
    return turn;
  }

  /** No more comes of this answer. A question without one goes. */
  end(turn) {
    this.#log.setAttribute('aria-busy', 'false');
    turn.element.classList.remove('growing');
    if (turn.isEmpty) turn.element.remove();
    else this.#known.push(turn);
  }

  /** The oldest turns are no part of the conversation any more. */
  forget(count) {
    this.#limit?.remove();
    this.#limit = fade(
      this.#known.splice(0, count),
      'The context is full: the model forgets the above.',
    );
  }

  /** The model of these turns has gone. */
  close() {
    fade(this.#known.splice(0), 'The model was unloaded here.');
    this.#limit = null;
  }

  clear() {
    this.#log.replaceChildren();
    this.#known = [];
  }
}

/** @returns the note below them; null if there are none */
function fade(turns, words) {
  for (const { element } of turns) element.classList.add('forgotten');
  if (turns.length === 0) return null;
  const note = element('p', { className: 'note', textContent: words });
  turns.at(-1).element.after(note);
  return note;
}

class Turn {
  element;
  #answer = element('p', { className: 'answer' });

  constructor(question, isStory) {
    this.element = element(
      'article',
      { className: isStory ? 'turn story growing' : 'turn growing' },
      element('h3', { className: 'unseen', textContent: 'You' }),
      element('p', { className: 'question', textContent: question }),
      element('h3', { className: 'unseen', textContent: 'Model' }),
      this.#answer,
    );
  }

  get isEmpty() {
    return this.#answer.textContent === '';
  }

  append(text) {
    keepAtEnd(() => this.#answer.append(text));
  }
}
