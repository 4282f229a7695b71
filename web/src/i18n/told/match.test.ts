import { describe, expect, test } from "vitest";
import { teller } from "./match";
import { ROOMS, TEMPLATES } from "./zh";

const SMALL = teller({
  "must be a list": "必须是列表",
  "must be at most {0}": "至多为 {0}",
  "must be at most {0} in {1}": "在 {1} 中至多为 {0}",
  "it is refused: {0}": "被拒绝：{0}",
  "the critical one lies {0} the other": "critical 应{0|above=更高|below=更低}",
  "use ${{0}:-default}": "写 ${{0}:-default}",
  "put it in quotes": "加上引号",
  "{0} has no tools": "{0} 不支持工具",
  "{0} of {1}": "{1} 的{0|quota=配额}",
  "quota of tokens": "词元配额",
  limits: "限额",
});

describe("a sentence", () => {
  test("is told by its template, with the values as they came", () => {
    expect(SMALL("must be a list")).toBe("必须是列表");
    expect(SMALL("must be at most 5")).toBe("至多为 5");
    expect(SMALL("must be at most $& {1}")).toBe("至多为 $& {1}");
    expect(SMALL("use ${KEY:-default}")).toBe("写 ${KEY:-default}");
    expect(SMALL("gpt-4o has no tools")).toBe("gpt-4o 不支持工具");
    expect(SMALL("must be at most ")).toBe("至多为 ");
  });

  test("is told by the template that says more of it", () => {
    expect(SMALL("must be at most 5 in limits.rpm")).toBe("在 limits.rpm 中至多为 5");
  });

  test("within another is told in turn, however deep", () => {
    expect(SMALL("it is refused: it is refused: must be at most 5")).toBe("被拒绝：被拒绝：至多为 5");
  });

  test("of several, and with its place before it, is told in parts", () => {
    expect(SMALL("must be a list; put it in quotes")).toBe("必须是列表；加上引号");
    expect(SMALL("a.yaml:3:7: limits: must be a list; put it in quotes")).toBe(
      "a.yaml:3:7: limits：必须是列表；加上引号",
    );
    expect(SMALL("something else; put it in quotes")).toBe("something else；加上引号");
  });

  test("has a hole's own word for a value", () => {
    expect(SMALL("the critical one lies below the other")).toBe("critical 应更低");
    expect(SMALL("the critical one lies beside the other")).toBe("critical 应beside");
  });

  test("that nobody knows is told as it came, and never as nothing", () => {
    for (const said of ["", "no such thing", "a list must be", "a: b; c", "must be a list!", "x".repeat(9_000)])
      expect(SMALL(said)).toBe(said);
  });

  test("is not found in names: a word in a hole, or words that only look alike", () => {
    expect(SMALL("limits")).toBe("限额");
    expect(SMALL("must be at most limits")).toBe("至多为 limits");
    expect(SMALL("king of spades")).toBe("king of spades");
    expect(SMALL("quota of tokens of web")).toBe("web 的词元配额");
  });

  test("of many parts that fit nothing ends soon", () => {
    const long = "a: b; ".repeat(600);
    expect(SMALL(long)).toBe(long);
  });
});

describe("the catalogue", () => {
  const told = teller(TEMPLATES);
  const filled = (text: string, values: Map<string, string>) =>
    text.replace(/\{(\d+)[^{}]*\}/g, (_, at: string) => values.get(at) ?? "");

  test("has each template in one room", () => {
    const all = Object.values(ROOMS).flatMap((room) => Object.keys(room));
    expect(all.length).toBe(new Set(all).size);
  });

  test("keeps each value of each sentence, and finds each by its template", () => {
    const holes = (text: string) => [...new Set([...text.matchAll(/\{(\d+)[^{}]*\}/g)].map(([, at]) => at ?? ""))];
    for (const [template, said] of Object.entries(TEMPLATES)) {
      expect(said.trim(), template).not.toBe("");
      // an English plural's "s" is all that may be left out
      const plural = [...template.matchAll(/[a-z]\{(\d+)\}/g)].map(([, at]) => at ?? "");
      expect([...holes(said), ...plural].sort(), template).toEqual(holes(template).sort());
      const values = new Map(holes(template).map((at) => [at, plural.includes(at) ? "s" : `⟨${at}⟩`]));
      const bare = /^\{0\}[^A-Za-z]*[A-Za-z]{0,4}[^A-Za-z]*\{1\}$/.test(template); // its holes have to be known
      if (!bare) expect(told(filled(template, values)), template).toBe(filled(said, values));
    }
  });

  test("tells what the gate says of a tenant's limit, of a file and of a channel", () => {
    expect(
      told(
        "You are at the limit of tokens a minute of namespace 'web' for 'gpt-4o'. This request can be served in 3.2 s.",
      ),
    ).toBe("已达到命名空间 'web'（模型 'gpt-4o'）的每分钟词元限额。这个请求可在 3.2 秒后处理。");
    expect(told("limit of requests a minute of key 'web-1'")).toBe("密钥 'web-1' 的每分钟请求限额");
    expect(told("gate.yaml:3:5: server.port: must be at most 65535; for example `port: 8080`")).toBe(
      "gate.yaml:3:5: server.port：至多为 65535；例如 `port: 8080`",
    );
    expect(
      told("refused it with code 310000: the robot's keyword is not in the message; set this machine's clock"),
    ).toBe("对方以代码 310000 拒绝：消息里没有机器人的关键词；校准本机时钟");
    expect(told("deadline: its time was over before it could be tried")).toBe("deadline：还没来得及尝试，时间已到");
  });
});
