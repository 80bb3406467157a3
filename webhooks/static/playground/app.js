// The playground's page: one person at a time looks at one room, and everything comes through the interface.

import { describe, listen, press, profile, send } from "./api.js";
import { Composer } from "./composer.js";
import { byId, el } from "./dom.js";
import { showEmpty } from "./empty.js";
import { isBusy } from "./message.js";
import { People } from "./people.js";
import { Rooms } from "./rooms.js";
import { Timeline } from "./timeline.js";

const messages = new Map();
let bot = "the bot";
let demo = false;
let stopListening = () => {};

const people = new People((name) => go(name, rooms.current));
const rooms = new Rooms((room) => go(people.current, room));
const composer = new Composer(({ text, reply_to, key }) =>
  send({ person: people.current, room: rooms.current, text, reply_to, key }));
const timeline = new Timeline({
  reply: (message) => composer.reply(message),
  press: (message, action) =>
    press({ person: people.current, message: message.id, action }).catch((error) => composer.tell(error.message)),
});

const here = () => [...messages.values()].filter((message) => message.room === rooms.current);
const marked = (message) => (message.author.bot ? { ...message, author: { ...message.author, demo } } : message);
const announce = (words) => (byId("announcer").textContent = words);

function go(person, room) {
  const address = `#${person}/${room}`;
  closeSide();
  if (location.hash === address) composer.text.focus();
  else location.hash = address;
}

function follow() {
  const [person, room] = decodeURIComponent(location.hash.slice(1)).split("/");
  const known = /^[a-z0-9][a-z0-9._-]{0,31}$/.test(person ?? "") ? person : people.names[0];
  rooms.current = rooms.find(room).id;
  if (known !== people.current) become(known);
  showRoom();
}

function become(person) {
  stopListening();
  messages.clear();
  announce("");
  people.select(person);
  stopListening = listen(person, {
    snapshot: ({ person: found, messages: all }) => {
      people.note(found);
      messages.clear();
      for (const message of all) messages.set(message.id, marked(message));
      showMessages();
    },
    message: ({ message }) => appear(marked(message)),
    person: ({ person: found }) => {
      if (people.note(found)) announce(`${found.name} is now on the ${found.tier} tier.`);
    },
    connected: showConnection,
  });
}

function appear(message) {
  const before = messages.get(message.id);
  messages.set(message.id, message);
  if (message.room === rooms.current) timeline.put(message);
  rooms.count(people.current, [...messages.values()]);
  if (!message.author.bot) return;
  if (isBusy(message) && !before) announce(`${bot} is writing.`);
  if (!isBusy(message) && (!before || isBusy(before))) announce(`${bot}: ${message.text}`);
}

function showMessages() {
  const shown = here();
  timeline.reset(shown);
  byId("empty").hidden = shown.length > 0;
  timeline.showTyping();
  rooms.count(people.current, [...messages.values()]);
}

function showRoom() {
  const room = rooms.find(rooms.current);
  const dm = room.id === "dm";
  byId("room-name").textContent = dm ? room.name : `# ${room.name}`;
  byId("room-about").textContent = dm ? `Only ${people.current} sees this` : "Everybody reads along";
  composer.text.placeholder = dm ? `Message ${room.name}` : `Message #${room.name}`;
  composer.enter(location.hash);
  showEmpty(room, bot, demo, (text) => composer.fill(text));
  showMessages();
}

function showConnection(connected) {
  byId("connection").textContent = "The connection is lost. Trying again…";
  byId("connection").hidden = connected;
}

function showNotes(simulated) {
  const notes = [
    simulated.models && "Demo models answer here, offline and from a few rules. Real ones need a key.",
    simulated.billing && "Billing is simulated: upgrading works, and no money moves.",
  ];
  byId("notes").replaceChildren(...notes.filter(Boolean).map((note) => el("p", {}, note)));
}

const openSide = (open) => {
  document.body.classList.toggle("side-open", open);
  byId("open-side").setAttribute("aria-expanded", String(open));
};
const closeSide = () => openSide(false);

async function begin() {
  const told = await describe();
  bot = told.bot.name;
  demo = told.simulated.models;
  composer.completion.commands = told.commands;
  composer.completion.bot = bot;
  rooms.all = told.rooms;
  showNotes(told.simulated);
  people.add([...told.people, ...people.kept()]);
  window.addEventListener("hashchange", follow);
  document.addEventListener("visibilitychange", () => rooms.count(people.current, [...messages.values()]));
  byId("open-side").addEventListener("click", () => openSide(true));
  byId("close-side").addEventListener("click", closeSide);
  byId("veil").addEventListener("click", closeSide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeSide());
  follow();
  for (const name of people.names) profile(name).then((found) => people.note(found)).catch(() => {});
}

begin().catch((error) => composer.tell(error.message));
