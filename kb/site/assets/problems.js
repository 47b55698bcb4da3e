/* The search of the problem log. It takes the steps of kb/problems (normal, signature, tokens, spelling, ranking) over
   the index that Python built, with Python's patterns and constants; a test compares the order with the command's. */
(() => {
  "use strict";
  const root = document.currentScript.src.replace(/assets\/problems\.js.*$/, "");
  const PAUSE_MS = 150; // after the last key
  const MAX_SHOWN = 20;
  const MAX_RANKED = 200; // hits from which the facets choose
  const MAX_IN_URL = 1500; // characters of a paste that a link carries

  // ---- text, as kb/problems/normal.py reads it
  let data = null;
  const compiled = new Map();
  function pattern(source, flags = "u") {
    const key = flags + source;
    if (!compiled.has(key)) compiled.set(key, new RegExp(source, flags));
    return compiled.get(key);
  }
  const has = (source, text) => pattern(source).test(text);
  const replaceAll = (text, source, by) => text.replace(pattern(source, "gu"), () => by);
  const once = (text, source) => text.replace(pattern(source), "");

  function lineOf(raw) {
    const { maxLine, prefixes, suffix, pytest } = data.text;
    let text = raw.trimEnd();
    if (text.length > maxLine) text = `${text.slice(0, maxLine / 2)} ${text.slice(-maxLine / 2)}`;
    for (const prefix of prefixes) text = once(text, prefix);
    text = once(text, suffix);
    return has(pytest, text) ? { text: once(text, pytest), marked: true } : { text, marked: false };
  }

  function cleaned(text) {
    const { codes, maxHead, maxTail } = data.text;
    const bounded = text.length <= maxHead + maxTail ? text : `${text.slice(0, maxHead)}\n${text.slice(-maxTail)}`;
    const plain = replaceAll(bounded, codes, "").replaceAll("\r\n", "\n").replaceAll("\r", "\n").replaceAll("\u00a0", " ");
    return plain.split("\n").map(lineOf);
  }

  function saysWhatIsWrong(text) {
    if (has(data.text.frame, text) || text.startsWith("    ")) return false;
    return has(data.text.exception, text) || has(data.text.native, text);
  }

  function wanted(lines) {
    const found = new Set();
    lines.forEach((line, i) => { if (line.marked || saysWhatIsWrong(line.text)) found.add(i); });
    let inside = false;
    lines.forEach(({ text }, i) => {
      if (has(data.text.header, text)) inside = true;
      else if (inside && text && !" \t".includes(text[0]) && !has(data.text.frame, text)) { found.add(i); inside = false; }
    });
    for (const first of [...found].sort((a, b) => a - b)) {
      if (!has(data.text.exception, lines[first].text)) continue;
      for (let i = first + 1; i < Math.min(first + 1 + data.text.maxContinued, lines.length); i++) {
        if (has(data.text.ends, lines[i].text)) break;
        found.add(i);
      }
    }
    return found;
  }

  function messages(lines) {
    let chosen = wanted(lines);
    if (!chosen.size) chosen = new Set(lines.flatMap((line, i) => (has(data.text.frame, line.text) ? [] : [i])));
    const texts = [...chosen].sort((a, b) => a - b).map((i) => lines[i].text.trim()).filter(Boolean);
    return [...new Set(texts)].slice(-data.text.maxMessages);
  }

  function normalised(line) {
    for (const [source, placeholder] of data.text.rules) line = replaceAll(line, source, placeholder);
    return line.split(/\s+/).filter(Boolean).join(" ");
  }

  // ---- words, as kb/problems/tokens.py cuts them
  const isCjk = (word) => has(`^[${data.words.cjk}]`, word);
  function stem(word) {
    if (word.length < 4 || !/^[A-Za-z]+s$/.test(word)) return word;
    if (word.endsWith("ies") && !"ae".includes(word.at(-4))) return `${word.slice(0, -3)}y`;
    if (/(?:shes|ches|xes|sses)$/.test(word)) return word.slice(0, -2);
    return /(?:us|ss)$/.test(word) ? word : word.slice(0, -1);
  }
  const stop = () => (data.words.stopSet ??= new Set(data.words.stop));
  const kept = (tokens) => [...new Set(tokens.filter(
    (token) => /[^_]/.test(token) && !stop().has(token) && [...token].length <= data.words.maxToken))];
  function partsOf(word) {
    if (isCjk(word)) return Array.from({ length: Math.max(1, word.length - 1) }, (_, i) => word.slice(i, i + 2));
    if (has(data.words.version, word)) return [stem(word.toLowerCase())];
    return word.split(pattern(data.words.joints)).flatMap((piece) => piece.split(pattern(data.words.humps)))
      .map((part) => stem(part.toLowerCase()));
  }
  function wholesOf(word) {
    if (isCjk(word)) return [];
    const pieces = has(data.words.version, word) ? [] : word.split(pattern(data.words.joints));
    return [word, ...pieces].map((piece) => stem(piece.toLowerCase()));
  }
  function words(text) {
    const found = [];
    for (const [written] of text.normalize("NFKC").matchAll(pattern(data.words.word, "gu"))) {
      const parts = kept(partsOf(written));
      const tokens = kept([...wholesOf(written), ...parts]);
      if (tokens.length) found.push({ written, tokens, parts: parts.length ? parts : tokens });
    }
    return found;
  }

  // ---- signatures, as kb/problems/signature.py matches them
  const squash = (text) => text.replace(/\s+/g, "");
  function squeeze(lines) {
    const breaks = [];
    let text = "";
    for (const line of lines) {
      const piece = squash(line.text);
      if (piece) breaks.push((text += piece).length);
    }
    return { text, breaks };
  }
  function compile(text) {
    let parts = [];
    text.split(/\{([a-z]+)\}/).forEach((piece, i) => {
      if (i % 2) { if (!(piece === "any" && parts.at(-1)?.kind === "any")) parts.push({ kind: piece }); }
      else if (squash(piece)) parts.push({ literal: squash(piece) });
    });
    if (parts[0].kind === "any") parts = parts.slice(1);
    if (parts.at(-1).kind === "any") parts = parts.slice(0, -1);
    const literals = parts.filter((part) => part.literal).map((part) => part.literal);
    const anchor = literals.reduce((best, literal) => (literal.length > best.length ? literal : best), "");
    return { parts, anchor, weight: literals.reduce((sum, literal) => sum + literal.length, 0) };
  }
  function merged(intervals) {
    const out = [];
    for (const [first, last] of intervals.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
      const before = out.at(-1);
      if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
      else if (first <= last) out.push([first, last]);
    }
    return out;
  }
  function afterLiteral(literal, reached, { text }) {
    const found = [];
    for (const [first, last] of reached) {
      for (let at = text.indexOf(literal, first); at >= 0 && at <= last; at = text.indexOf(literal, at + 1)) {
        found.push([at + literal.length, at + literal.length]);
      }
    }
    return merged(found);
  }
  function afterPlaceholder(kind, reached, { text, breaks }) {
    const { maxSpan, maxAny, kinds } = data.signature;
    const found = [];
    let covered = -1;
    let line = 0;
    for (const [first, last] of reached) {
      for (let start = first; start <= Math.min(last, text.length); start++) {
        if (kind === "any") {
          while (line < breaks.length && breaks[line] <= start) line += 1;
          found.push([start, Math.min(breaks[line] ?? text.length, start + maxAny)]);
        } else if (start <= covered && (kind === "path" || kind === "name")) {
          found.push([start + 1, Math.min(covered, start + maxSpan)]);
        } else {
          const matcher = pattern(kinds[kind], "uy");
          matcher.lastIndex = start;
          const match = matcher.exec(text);
          if (match) {
            const end = start + match[0].length;
            covered = end < start + maxSpan ? end : start;
            found.push([start + 1, end]);
          }
        }
      }
    }
    return merged(found);
  }
  function foundIn({ parts, anchor }, squeezed) {
    if (!squeezed.text.includes(anchor)) return false;
    const before = parts.findIndex((part) => part.literal);
    const { literal } = parts[before];
    const ends = afterLiteral(literal, [[0, squeezed.text.length]], squeezed);
    let reached = merged(ends.map(([first, last]) =>
      [Math.max(0, first - literal.length - before * data.signature.maxSpan), last - literal.length]));
    for (const part of parts) {
      reached = part.kind ? afterPlaceholder(part.kind, reached, squeezed) : afterLiteral(part.literal, reached, squeezed);
      if (!reached.length) return false;
    }
    return true;
  }

  // ---- spelling, as kb/problems/spelling.py corrects it
  function distance(one, other, most) {
    if (Math.abs(one.length - other.length) > most) return most + 1;
    let before = [];
    let row = Array.from({ length: other.length + 1 }, (_, i) => i);
    for (let i = 1; i <= one.length; i++) {
      const previous = row;
      row = [i];
      for (let j = 1; j <= other.length; j++) {
        row[j] = Math.min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (one[i - 1] !== other[j - 1]));
        if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
          row[j] = Math.min(row[j], before[j - 2] + 1);
        }
      }
      if (Math.min(...row) > most) return most + 1;
      before = previous;
    }
    return Math.min(row.at(-1), most + 1);
  }
  const few = (test, shortest, longest) => data.vocabulary.filter(
    (word) => word.length >= shortest && word.length <= longest && test(word)).slice(0, data.spelling.maxCandidates);
  function corrections(word) {
    const { minLength, twoSlips, maxCorrections } = data.spelling;
    if (word.length < minLength || !/^[a-z_]*[a-z][a-z_]*$/.test(word)) return [];
    const most = word.length >= twoSlips ? 2 : 1;
    const same = Math.max(2, Math.floor(word.length / 3));
    const bounds = [word.length - most, word.length + most];
    const candidates = new Set([
      ...few((each) => each.startsWith(word.slice(0, same)), ...bounds),
      ...few((each) => each.endsWith(word.slice(-same)), ...bounds),
    ]);
    const slips = [...candidates].map((candidate) => [candidate, distance(word, candidate, most)]);
    const nearest = Math.min(most + 1, ...slips.map(([, count]) => count));
    if (nearest > most) return [];
    return slips.filter(([, count]) => count === nearest).map(([candidate]) => candidate)
      .sort((a, b) => postings(b).length - postings(a).length || compare(a, b)).slice(0, maxCorrections);
  }

  // ---- the order, as kb/problems/ranking.py makes it
  const [SIGNATURE, ALL_WORDS, SOME_WORDS] = [0, 1, 2];
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const rounded = (score) => Math.floor(score * 1e6 + 0.5);
  const decoded = new Map();
  function postings(word) { // only the words that are asked for are decoded
    if (!decoded.has(word)) {
      const numbers = (data.index.get(word) ?? "").split(" ").filter(Boolean).map((digits) => parseInt(digits, 36));
      for (let i = 3; i < numbers.length; i += 3) numbers[i] += numbers[i - 3];
      decoded.set(word, numbers);
    }
    return decoded.get(word);
  }
  const entries = (word) => postings(word).length / 3;
  const canonical = (name) => name.replace(/[-_.]+/g, "-").toLowerCase();

  function ordered(version) {
    const match = /^v?([0-9]+(?:\.[0-9]+)*)[.\-_]?([a-z]*)/.exec(version.toLowerCase());
    if (!match) return null;
    const release = match[1].split(".").map(Number);
    while (release.length > 1 && release.at(-1) === 0) release.pop();
    return [release, data.before.includes(match[2]) ? -1 : 0];
  }
  function earlier(a, b) {
    for (let i = 0; i < Math.min(a[0].length, b[0].length); i++) if (a[0][i] !== b[0][i]) return a[0][i] - b[0][i];
    return a[0].length - b[0].length || a[1] - b[1];
  }
  function covers(span, version) {
    if (earlier(version, span.first) < 0) return false;
    if (span.end === null) return true;
    const order = earlier(version, span.end);
    return order < 0 || (span.through && order === 0);
  }

  function packagesIn(said) {
    const versions = new Map();
    const rest = [];
    let name;
    for (const word of said) {
      const version = word.written.includes(".") && /^v*[0-9]/.test(word.written) ? ordered(word.written) : null;
      if (name !== undefined && version) {
        versions.set(name, version);
        name = undefined;
        continue;
      }
      name = data.families.get(canonical(word.written));
      rest.push(word);
    }
    return [versions, rest];
  }
  function like(token) {
    const { minPrefix, maxPrefixed, prefixWorth, slipWorth } = data.ranking;
    if (token.length >= minPrefix) {
      const longer = few((word) => word.startsWith(token), token.length, token.length + 20).slice(0, maxPrefixed);
      if (longer.length) return new Map(longer.map((word) => [word, prefixWorth]));
    }
    return new Map(corrections(token).map((word) => [word, slipWorth]));
  }
  function groupsOf(said) {
    const groups = new Map();
    for (const word of said) {
      const family = data.families.get(canonical(word.written));
      for (const group of family !== undefined ? [packageGroup(word, family)] : partGroups(word)) {
        const before = groups.get(group.word);
        if (!before || (group.asked && !before.asked)) groups.set(group.word, group);
      }
      if (groups.size >= data.ranking.maxWords) break;
    }
    return [...groups.values()];
  }
  function packageGroup(word, family) {
    const names = new Set([word.tokens[0], ...words(family).map((named) => named.tokens[0])]);
    const known = [...names].sort(compare).filter((name) => postings(name).length);
    return { word: word.tokens[0], worths: new Map(known.map((name) => [name, 1])), asked: true };
  }
  function partGroups(word) {
    return word.tokens.flatMap((token) => {
      const asked = word.parts.includes(token);
      const worths = postings(token).length ? new Map([[token, 1]]) : asked ? like(token) : new Map();
      return worths.size || (asked && !isCjk(token)) ? [{ word: token, worths, asked }] : [];
    });
  }
  function affordable(groups) {
    const size = data.notes.length;
    for (const group of groups) {
      const frequency = group.worths.size ? Math.min(...[...group.worths.keys()].map(entries)) : 0;
      group.rarity = Math.log(1 + (size - frequency + 0.5) / (frequency + 0.5));
    }
    groups.sort((a, b) => rounded(b.rarity) - rounded(a.rarity) || compare(a.word, b.word));
    const chosen = [];
    let left = data.ranking.maxPostings;
    for (const group of groups) {
      for (const word of group.worths.keys()) left -= entries(word);
      if (left < 0 && chosen.length) break;
      chosen.push(group);
    }
    return chosen;
  }
  function bestOf(group) {
    const { k1, b } = data.ranking;
    const best = new Map();
    const fixed = k1 * (1 - b);
    const perWord = (k1 * b) / data.meanLength;
    for (const [word, worth] of group.worths) {
      const most = worth * group.rarity * (k1 + 1);
      const list = postings(word);
      for (let i = 0; i < list.length; i += 3) {
        const score = (most * list[i + 1]) / (list[i + 1] + fixed + perWord * data.notes[list[i]].length);
        if (!(best.get(list[i])?.score >= score)) best.set(list[i], { score, word, fields: list[i + 2] });
      }
    }
    return best;
  }
  function matching(squeezed) {
    const found = new Map();
    for (const signature of data.signatures) {
      if (foundIn(signature, squeezed)) found.set(signature.note, [...(found.get(signature.note) ?? []), signature]);
    }
    for (const list of found.values()) list.sort((a, b) => b.weight - a.weight || compare(a.text, b.text));
    return found;
  }
  function firstOf(order, count) {
    const list = [...order].sort((a, b) => byOrder(a[1], b[1]));
    return list.filter(([, key]) => list.length <= count || byOrder(key, list[count - 1][1]) <= 0).map(([note]) => note);
  }
  function byOrder(a, b) {
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
    return 0;
  }
  function tiersOf(groups, byGroup, scores, signatures, pasted) {
    const tiers = new Map([...signatures.keys()].map((note) => [note, SIGNATURE]));
    const asked = groups.map((group, i) => ({ group, found: byGroup[i] })).filter(({ group }) => group.asked);
    if (asked.length && !pasted) {
      for (const note of asked[0].found.keys()) {
        if (!tiers.has(note) && asked.every(({ found }) => found.has(note))) tiers.set(note, ALL_WORDS);
      }
    }
    if (tiers.size >= data.ranking.enough) return tiers;
    const shares = new Map();
    for (const { group, found } of asked) {
      for (const note of found.keys()) shares.set(note, (shares.get(note) ?? 0) + group.rarity);
    }
    const least = pasted ? data.ranking.minShareOfPaste : data.ranking.minShare;
    const bound = rounded(least * asked.reduce((sum, { group }) => sum + group.rarity, 0));
    const partial = new Map();
    for (const [note, share] of shares) {
      if (bound > 0 && rounded(share) >= bound && !tiers.has(note)) partial.set(note, [-rounded(scores.get(note))]);
    }
    for (const note of firstOf(partial, data.ranking.maxPartial)) tiers.set(note, SOME_WORDS);
    return tiers;
  }
  function ranked(said, squeezed, limit, pasted) {
    const [versions, rest] = packagesIn(said);
    const groups = affordable(groupsOf(rest));
    const byGroup = groups.map(bestOf);
    const scores = new Map();
    for (const found of byGroup) for (const [note, { score }] of found) scores.set(note, (scores.get(note) ?? 0) + score);
    const signatures = matching(squeezed);
    const tiers = tiersOf(groups, byGroup, scores, signatures, pasted);
    const weight = (note) => signatures.get(note)?.[0].weight ?? 0;
    const order = new Map([...tiers].map(([note, tier]) => [note, [tier, -weight(note), -rounded(scores.get(note) ?? 0)]]));
    const best = firstOf(order, Math.max(limit, versions.size ? data.ranking.maxReranked : 0));
    const hits = best.map((note) => {
      const covered = data.notes[note].spans.filter(
        (span) => versions.has(span.package) && covers(span, versions.get(span.package)));
      const score = (scores.get(note) ?? 0) * (covered.length ? data.ranking.covered : 1);
      const reasons = groups.flatMap((group, i) => (byGroup[i].has(note) ? [{ said: group.word, ...byGroup[i].get(note) }] : []))
        .sort((a, b) => rounded(b.score) - rounded(a.score) || compare(a.said, b.said)).slice(0, data.ranking.maxReasons);
      return {
        note: data.notes[note], tier: tiers.get(note), score, key: [tiers.get(note), -weight(note), -rounded(score)],
        signatures: (signatures.get(note) ?? []).map((signature) => signature.text), reasons,
        covered: [...new Set(covered.map((span) => `${span.package} ${versions.get(span.package)[0].join(".")}`))],
      };
    });
    return hits.sort((a, b) => byOrder(a.key, b.key) || compare(a.note.id, b.note.id) || compare(a.note.path, b.note.path))
      .slice(0, limit);
  }
  function explain(text, limit = MAX_RANKED) {
    const lines = cleaned(text);
    let said = messages(lines).map(normalised).join("\n");
    for (const name of data.signature.placeholders) said = said.replaceAll(`{${name}}`, " ");
    return ranked(words(said), squeeze(lines), limit, true);
  }
  const search = (text, limit = MAX_RANKED) => ranked(words(text), squeeze([{ text }]), limit, false);

  // ---- the index: a classic script, since fetch() does not work from a folder
  let loading = null;
  function load() {
    loading ??= new Promise((loaded, failed) => {
      const script = document.createElement("script");
      script.src = `${root}problems-index.js`;
      script.onload = () => {
        data = window.kbProblems;
        data.index = new Map(data.index);
        data.vocabulary = [...data.index.keys()].sort(compare);
        data.families = new Map(data.families);
        data.signatures = data.signatures.map(([note, text]) => ({ note, text, ...compile(text) }));
        loaded();
      };
      script.onerror = () => { loading = null; script.remove(); failed(new Error("the index could not be loaded")); };
      document.head.append(script);
    });
    return loading;
  }
  window.kbSearch = { load, explain, search, normalised, messages: (text) => messages(cleaned(text)).map(normalised), words };

  // ---- the page. Everything from a note or a query is set as text, never as markup.
  const FACETS = ["package", "version", "kind", "status", "severity"];
  const MATCHES = ["signature", "all words", "some words"];

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }
  const pageOf = (note) => `problems/${encodeURIComponent(note.path.replace(/\.md$/, ""))}.html`;
  function shownHit(hit) {
    const { note } = hit;
    const item = element("li");
    const link = element("a", `${note.id}  ${note.title}`);
    link.href = pageOf(note);
    item.append(link, element("p", [note.kind, note.status, note.severity, ...note.packages].join(", "), "kb-note"));
    for (const signature of hit.signatures) {
      const why = element("p", "signature: ", "kb-why");
      why.append(element("code", signature));
      item.append(why);
    }
    if (hit.reasons.length) {
      const told = hit.reasons.map(({ said, word, fields }) => {
        const names = data.fields.filter((_, bit) => (fields >> bit) & 1).join(", ");
        return `${said === word ? word : `${said} ~ ${word}`} (${names})`;
      });
      item.append(element("p", `${hit.tier === SIGNATURE ? "words" : MATCHES[hit.tier]}: ${told.join(", ")}`, "kb-why"));
    }
    for (const version of hit.covered) item.append(element("p", `version: ${version} is affected`, "kb-why"));
    return item;
  }

  function start() {
    const form = document.getElementById("kb-problems");
    if (!form) return;
    const paste = form.elements.paste;
    const query = form.elements.words;
    const status = document.getElementById("kb-problems-said");
    const list = document.getElementById("kb-problems-hits");
    const none = document.getElementById("kb-problems-none");
    const every = [...document.querySelectorAll("#kb-problems-all li")];
    const all = document.getElementById("kb-problems-all");
    let timer = 0;

    const chosen = () => FACETS.filter((name) => form.elements[name].value).map((name) => [name, form.elements[name].value]);
    const fits = (values) => chosen().every(([name, value]) => name === "version" || values(name).includes(value));
    const asked = () => form.elements.version.value.trim();
    function inVersion(note) { // of the package that is chosen, or of any
      const version = ordered(asked());
      const wanted = data?.families.get(canonical(form.elements.package.value)) ?? form.elements.package.value;
      return !version || note.spans.some((span) => (!wanted || span.package === wanted) && covers(span, version));
    }
    const count = (number) => `${number} ${number === 1 ? "note" : "notes"}`;

    function keepState() {
      const state = new URLSearchParams();
      if (query.value.trim()) state.set("q", query.value);
      if (paste.value.trim() && paste.value.length <= MAX_IN_URL) state.set("error", paste.value);
      for (const [name, value] of chosen()) state.set(name, value);
      const text = state.toString();
      history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
    }
    function readState() {
      const state = new URLSearchParams(location.hash.slice(1));
      query.value = state.get("q") ?? "";
      paste.value = state.get("error") ?? "";
      for (const name of FACETS) form.elements[name].value = state.get(name) ?? "";
    }
    function showList() {
      const notes = new Map(asked() && data ? data.notes.map((note) => [pageOf(note), note]) : []);
      const shown = every.filter((item) => {
        const note = notes.get(item.querySelector("a").getAttribute("href"));
        item.hidden = !fits((name) => (item.dataset[name] ?? "").split(" ")) || Boolean(note && !inVersion(note));
        return !item.hidden;
      });
      list.replaceChildren();
      all.hidden = false;
      none.hidden = true;
      status.textContent = chosen().length ? `${count(shown.length)} of ${every.length}.` : "";
    }
    function offerNote(text) {
      const link = none.querySelector("a");
      if (!link) return;
      const title = (pasted() ? messages(cleaned(text)).at(-1) ?? "" : text).slice(0, 120);
      const name = (title.toLowerCase().match(/[a-z0-9]+/g) ?? ["new"]).slice(0, 8).join("-");
      const form = link.dataset.form.replaceAll("\\n", "\n");
      const note = form.replace("TITLE", () => JSON.stringify(title)).replace("ERROR", () => text.slice(0, 4000));
      link.href = `${link.dataset.new}?${new URLSearchParams({ filename: `${name}.md`, value: note })}`;
    }
    const pasted = () => Boolean(paste.value.trim());
    async function show() {
      keepState();
      const text = pasted() ? paste.value : query.value;
      if (!text.trim() && !asked()) return showList();
      if (!data) status.textContent = "Loading the index …";
      try {
        await load();
      } catch (error) {
        showList();
        status.textContent = `All notes are shown: ${error.message}.`;
        return undefined;
      }
      if (text !== (pasted() ? paste.value : query.value)) return undefined; // a newer one is on its way
      if (!text.trim()) return showList();
      const hits = (pasted() ? explain(text) : search(text)).filter(({ note }) =>
        fits((name) => (name === "package" ? note.packages : [note[name]])) && inVersion(note));
      list.replaceChildren(...hits.slice(0, MAX_SHOWN).map(shownHit));
      all.hidden = true;
      none.hidden = hits.length > 0;
      if (!hits.length) offerNote(text);
      const more = hits.length > MAX_SHOWN ? `, the first ${MAX_SHOWN} shown` : "";
      status.textContent = hits.length ? `${count(hits.length)} found${more}.` : "No note is about this.";
      return undefined;
    }
    function soon(event) {
      // The two fields are two ways to ask; the one that is written in counts.
      if (event.target === paste && paste.value) query.value = "";
      if (event.target === query && query.value) paste.value = "";
      clearTimeout(timer);
      timer = setTimeout(show, PAUSE_MS);
    }
    form.hidden = false;
    form.addEventListener("input", soon);
    form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); show(); });
    form.addEventListener("reset", () => setTimeout(show));
    window.addEventListener("hashchange", () => { readState(); show(); });
    readState();
    show();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
