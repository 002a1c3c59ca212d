// rich_text blocks.

import { el } from "./dom.js";
import { anchor, broadcast, channelMention, groupMention, moment, plain, userMention } from "./mrkdwn.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code", underline: "u" };

export function richText(block) {
  const parts = [];
  for (const each of block.elements ?? []) {
    const last = parts[parts.length - 1];
    if (each.type === "rich_text_list") parts.push(list(each));
    else if (each.type === "rich_text_preformatted") parts.push(el("pre", {}, el("code", {}, nodes(each.elements))));
    else if (each.type === "rich_text_quote") parts.push(el("blockquote", {}, nodes(each.elements)));
    else if (last?.className === "text") last.append("\n", ...nodes(each.elements));
    else parts.push(el("div", { class: "text" }, nodes(each.elements)));
  }
  return el("div", { class: "rich" }, parts);
}

function list(each) {
  const ordered = each.style === "ordered";
  const attributes = { class: `indent${Math.min(8, each.indent ?? 0)}`, start: ordered && each.offset ? each.offset + 1 : null };
  return el(ordered ? "ol" : "ul", attributes, each.elements.map((item) => el("li", {}, nodes(item.elements))));
}

const nodes = (elements = []) => elements.map(styled);

function styled(piece) {
  let node = inner(piece);
  for (const [name, tag] of Object.entries(STYLES)) if (piece.style?.[name]) node = el(tag, {}, node);
  return node;
}

function inner(piece) {
  switch (piece.type) {
    case "text":
      return piece.text;
    case "link":
      return anchor(piece.url, piece.text || piece.url);
    case "emoji":
      return piece.unicode ? String.fromCodePoint(...piece.unicode.split("-").map((each) => parseInt(each, 16))) : `:${piece.name}:`;
    case "user":
      return userMention(piece.user_id);
    case "usergroup":
      return groupMention(piece.usergroup_id);
    case "channel":
      return channelMention(piece.channel_id);
    case "broadcast":
      return broadcast(piece.range);
    case "date":
      return moment(piece.timestamp, piece.format, piece.url);
    case "color":
      return el("code", {}, piece.value);
    default:
      return plain(piece.text ?? piece.type);
  }
}
