// The payloads of the snapshot tests, as software that others wrote for these services reads them.
const fs = require("fs");
const path = require("path");

// adaptivecards is written for browsers.
globalThis.window = globalThis.self = globalThis;
const cards = require("adaptivecards/dist/adaptivecards.js");
const { EmbedAssertions } = require("@discordjs/builders");

const folder = path.join(process.argv[2], "src/alert/snapshots");
const problems = [];

function payloads(channel) {
  const names = fs.readdirSync(folder).filter((name) => name.includes(`__${channel}__tests__`));
  if (names.length < 2) problems.push(`${channel}: ${names.length} snapshots; at least 2 are expected`);
  return names.map((name) => {
    const text = fs.readFileSync(path.join(folder, name), "utf8");
    return [name, JSON.parse(text.split(/^---$/m).slice(2).join("---"))];
  });
}

for (const [name, message] of payloads("teams")) {
  const [attachment] = message.attachments;
  const context = new cards.SerializationContext(cards.Versions.v1_4);
  const card = new cards.AdaptiveCard();
  card.parse(attachment.content, context);
  const found = card.validateProperties().validationEvents;
  for (let at = 0; at < context.eventCount; at += 1) found.push(context.getEventAt(at));
  for (const event of found) problems.push(`${name}: ${event.message}`);
  if (card.getItemCount() !== attachment.content.body.length) problems.push(`${name}: elements were dropped`);
  if (JSON.stringify(card.toJSON()).length < 500) problems.push(`${name}: the card is empty`);
}

const rules = {
  title: EmbedAssertions.titlePredicate,
  description: EmbedAssertions.descriptionPredicate,
  url: EmbedAssertions.urlPredicate,
  color: EmbedAssertions.colorPredicate,
  fields: EmbedAssertions.embedFieldsArrayPredicate,
};
for (const [name, message] of payloads("discord")) {
  for (const embed of message.embeds) {
    for (const [key, value] of Object.entries(embed)) {
      if (key === "footer") continue;
      if (!rules[key]) problems.push(`${name}: ${key} is no part of an embed`);
      else if (rules[key].run(value).isErr()) problems.push(`${name}: ${key} is refused`);
    }
    if (EmbedAssertions.footerTextPredicate.run(embed.footer.text).isErr()) problems.push(`${name}: the footer is refused`);
  }
}

// What must be refused is: a validator that takes everything proves nothing.
if (!rules.title.run("x".repeat(257)).isErr()) problems.push("a long title is not refused");
const bad = new cards.SerializationContext(cards.Versions.v1_4);
new cards.AdaptiveCard().parse({ type: "AdaptiveCard", version: "1.4", body: [{ type: "Nonsense" }] }, bad);
if (bad.eventCount === 0) problems.push("an unknown element is not refused");

for (const problem of problems) console.error(problem);
console.log(problems.length ? "FAILED" : "ok: the Teams cards and the Discord embeds are what they should be");
process.exitCode = problems.length ? 1 : 0;
