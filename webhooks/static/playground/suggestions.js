// What could be written next: commands, their options' values, and mentions. Pure: text in, suggestions out.

const MOST = 8;

// Suggestions for the text before the cursor: `items` to choose from, `from` where the chosen one is put, and
// `hint` with the command being written and the option that is due.
export function suggest(before, commands, bot) {
  const mention = /(?:^|\s)@([\w-]*)$/.exec(before);
  if (mention) return mentions(before, mention[1], bot);
  if (!before.startsWith("/") || before.includes("\n")) return { items: [], from: 0, hint: null };
  const [name, ...words] = before.slice(1).split(" ");
  if (words.length === 0) return commandNames(name, commands);
  const command = commands.find((each) => each.name === name.toLowerCase());
  return command ? optionValues(before, command, words) : { items: [], from: 0, hint: null };
}

function mentions(before, typed, bot) {
  const fits = bot.toLowerCase().startsWith(typed.toLowerCase());
  const item = { label: `@${bot}`, about: "Ask the bot; everybody in the room sees the answer.", insert: `@${bot} ` };
  return { items: fits ? [item] : [], from: before.length - typed.length - 1, hint: null };
}

function commandNames(typed, commands) {
  const wanted = typed.toLowerCase();
  const starting = commands.filter((command) => command.name.startsWith(wanted));
  const items = starting.slice(0, MOST).map((command) => ({
    label: command.usage,
    about: command.description,
    insert: command.options.length ? `/${command.name} ` : `/${command.name}`,
    whole: command.options.every((option) => !option.required),
    name: command.name,
  }));
  return { items, from: 0, hint: null };
}

function optionValues(before, command, words) {
  const typed = words.at(-1);
  const due = dueOption(command, words);
  const offered = command.options.filter((option) => option === due || (option.prefix && words.length === 1));
  const items = offered.flatMap((option) => values(option, typed)).slice(0, MOST);
  return { items, from: before.length - typed.length, hint: { usage: command.usage, option: due ?? null } };
}

// Closed options may come in any order; the first one without a value is due.
function dueOption(command, words) {
  const free = command.options.find((option) => !option.choices.length && !option.prefix);
  if (free) return free;
  const given = words.slice(0, -1).map((word) => word.toLowerCase());
  return command.options.find((option) => !option.choices.some((choice) => given.includes(choice.toLowerCase())));
}

function values(option, typed) {
  const prefix = option.prefix ?? "";
  const wanted = typed.toLowerCase();
  if (prefix && !wanted) return [];
  return option.choices
    .map((choice) => `${prefix}${choice}`)
    .filter((value) => value.toLowerCase().startsWith(wanted) && value.toLowerCase() !== wanted)
    .map((value) => ({ label: value, about: option.description, insert: `${value} ` }));
}
