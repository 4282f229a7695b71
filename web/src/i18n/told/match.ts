/** Sentences of the gate in another language, found by their template: `must be at most {0}` fits "must be at most 5". */

/** Templates in English, and what they say in the other language. */
export type Templates = Readonly<Record<string, string>>;
export type Tell = (sentence: string) => string;

interface Entry {
  /** What stands before and between the holes. */
  parts: string[];
  said: string;
  patterns: RegExp[] | undefined;
}

type Lookup = (sentence: string) => string | undefined;

const HOLE = /( ?)\{(\d+)((?:\|[^|{}=]+=[^|{}]*)*)\}( ?)/g;
const WIDE = "\\u3000-\\u303f\\u4e00-\\u9fff\\uff00-\\uffef"; // characters that need no blank beside them
const WIDE_FIRST = new RegExp(`^[${WIDE}]`);
const WIDE_LAST = new RegExp(`[${WIDE}]$`);
const PREFIX = 4; // characters by which templates are found; those that begin with fewer are tried for every sentence
const DEEPEST = 6;
const LONGEST = 4_000; // characters; what is longer is nobody's sentence

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const letters = (entry: Entry) => entry.parts.join("").replace(/[^A-Za-z]/g, "").length;
/** "quota of openai/gpt-4o" is one, but so is half of English: what stands in the holes has to be known, too. */
const weak = (entry: Entry) => entry.parts[0] === "" && letters(entry) <= 4;

/** The words of a template around its holes. */
export function partsOf(template: string): string[] {
  return template.split(/\{\d+\}/);
}

/** What may fill the holes of a template: as early as they can end, or as late. None: it does not fit. */
function holesOf(entry: Entry, sentence: string): string[][] {
  const first = entry.parts[0] ?? "";
  const last = entry.parts.at(-1) ?? "";
  if (!sentence.startsWith(first) || !sentence.endsWith(last)) return [];
  entry.patterns ??= ["([\\s\\S]*?)", "([\\s\\S]*)"]
    .slice(0, entry.parts.length - 1)
    .map((hole) => new RegExp(`^${entry.parts.map(escaped).join(hole)}$`));
  return entry.patterns.flatMap((pattern) => {
    const found = pattern.exec(sentence);
    return found ? [found.slice(1)] : [];
  });
}

/** What a hole shows: its own word for the value, where it has one (`{0|input=…|output=…}`). */
function worded(words: string, value: string, tell: Tell): string {
  for (const pair of words.split("|")) if (pair.startsWith(`${value}=`)) return pair.slice(value.length + 1);
  return tell(value);
}

/** What is found by: whole sentences, and templates by how they begin. */
function indexed(templates: Templates) {
  const whole = new Map<string, string>();
  const begun = new Map<string, Entry[]>();
  for (const [template, said] of Object.entries(templates)) {
    const parts = partsOf(template);
    if (parts.length === 1) {
      whole.set(template, said);
      continue;
    }
    const first = parts[0] ?? "";
    const key = first.length < PREFIX ? "" : first.slice(0, PREFIX);
    const entry = { parts, said, patterns: undefined };
    const beside = begun.get(key);
    if (beside) beside.push(entry);
    else begun.set(key, [entry]);
  }
  // of several that fit, the one that says the most is meant
  for (const some of begun.values()) some.sort((a, b) => b.parts.join("").length - a.parts.join("").length);
  return { whole, begun };
}

/**
 * Tells sentences by these templates: O(those that begin alike). What stands in a hole is kept, or told in turn where it
 * is a sentence itself; so are the parts of "one; another" and of "where: what". What nobody knows is told as it is.
 */
export function teller(templates: Templates): Tell {
  const { whole, begun } = indexed(templates);

  const fitting = (sentence: string, depth: number): string | undefined => {
    for (const key of [sentence.slice(0, PREFIX), ""]) {
      for (const entry of begun.get(key) ?? []) {
        const inner = (value: string) => within(value, depth + 1);
        const sentences = (holes: string[]) => holes.filter((value) => inner(value) !== value).length;
        const [early, late] = holesOf(entry, sentence);
        if (!early) continue;
        const holes = late && sentences(late) > sentences(early) ? late : early;
        if (weak(entry) && !sentences(holes)) continue;
        return entry.said.replace(HOLE, (_, before: string, at: string, words: string, behind: string) => {
          const value = worded(words, holes[Number(at)] ?? "", inner);
          return (WIDE_FIRST.test(value) ? "" : before) + value + (WIDE_LAST.test(value) ? "" : behind);
        });
      }
    }
    return undefined;
  };

  const known = (sentence: string, depth: number): string | undefined =>
    whole.get(sentence) ?? fitting(sentence, depth);

  /** Of two parts; undefined: neither is known. */
  const parted = (sentence: string, depth: number): string | undefined => {
    const cut = (mark: string, said: string, look: Lookup, head: Tell): string | undefined => {
      for (let at = sentence.indexOf(mark); at >= 0; at = sentence.indexOf(mark, at + 1)) {
        const tail = look(sentence.slice(at + mark.length));
        if (tail !== undefined) return head(sentence.slice(0, at)) + said + tail;
      }
      return undefined;
    };
    const later: Lookup = (tail) => (tail.includes(" ") ? known(tail, depth + 1) : undefined);
    return cut("; ", "；", later, (head) => within(head, depth + 1)) ?? cut(": ", "：", later, (head) => head);
  };

  /** A part of something: single words are names there, not sentences. */
  function within(value: string, depth: number): string {
    if (depth > DEEPEST || !value.includes(" ")) return value;
    return known(value, depth) ?? parted(value, depth) ?? value;
  }

  return (sentence) => {
    if (!sentence || sentence.length > LONGEST) return sentence;
    return known(sentence, 0) ?? parted(sentence, 0) ?? sentence;
  };
}
