"""Words and sentence patterns for the three kinds of text. Written for this project; data only."""


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.replace("\n", " ").split("|"))


def _blocks(text: str) -> tuple[str, ...]:
    return tuple(text.split("---\n"))


ENGLISH_SUBJECTS = _phrases("""
    the customer | our support team | the new release | a colleague of mine | the finance department |
    this contract | the weekly report | every supplier | the warehouse in Rotterdam | a patient |
    the research group | my landlord | the project manager | an older version | the city council | the night shift |
    her first novel | the training data | a small bakery | the insurance company | the delivery driver |
    our main competitor | the school board | the river ferry | a retired engineer | the second interview |
    the refund policy | the mobile app | an independent auditor | the greenhouse
""")

ENGLISH_VERBS = _phrases("""
    has confirmed | would like to discuss | quietly changed | cannot explain | is waiting for | rejected |
    depends on | describes in detail | forgot to mention | has been comparing | will replace | postponed |
    complained about | carefully reviewed | underestimated | asked us to translate | is still missing |
    finally approved | wants to summarise | misread | relies heavily on | shipped | keeps asking about
""")

ENGLISH_OBJECTS = _phrases("""
    the delayed shipment | a list of open questions | the budget for next year | three different proposals |
    the results of the survey | an unusually large invoice | the safety instructions | the annual conference |
    a recipe for sourdough bread | the terms of payment | the minutes of the last meeting | a broken sensor |
    the meaning of the second paragraph | an apology from the airline | the temperature in the server room |
    the history of the old harbour | several contradictory e-mails | the migration to the new database |
    the side effects of the treatment | a polite reminder | the cheapest route through the mountains |
    the opening hours during the holidays | a refund for two tickets | the outline of the final chapter
""")

ENGLISH_TAILS = _phrases("""
    before the end of the week | although nobody had asked for it | because the figures do not add up |
    and needs an answer by Friday | without telling anyone | as described in section {small} |
    for roughly {number} people | at a cost of ${money} | which is {small} percent more than expected |
    since {year} | even though the deadline passed {small} days ago | in order to avoid further delays |
    between {hour}:00 and {hour}:30 | while the rest of us were travelling | according to ticket #{number} |
    if that is possible at all | despite the heavy rain | with very little documentation | once and for all
""")

ENGLISH_REQUESTS = _phrases("""
    Could you rewrite this so that it sounds more friendly? | Please list the three most important points. |
    What should I reply to them? | Explain it to me as if I were twelve years old. |
    Is there a shorter way to say it? | Summarise the text above in no more than {small} words. |
    Translate the last sentence into Spanish, please. | Which of these options would you recommend, and why? |
    I don't understand the second step; what am I missing? | Give me {small} ideas for a title. |
    Please check the grammar, but keep my tone. | How long would that take?
""")

CHINESE_SUBJECTS = _phrases("""
    这位客户 | 我们的团队 | 新的系统 | 财务部门 | 这份合同 | 上个月的报告 | 供应商 | 项目经理 |
    一位老师 | 研究小组 | 物流公司 | 他的第一部小说 | 手机应用 | 保险公司 | 市政府 | 面试官 |
    仓库管理员 | 值班医生 | 这家小餐馆 | 退休的工程师 | 售后服务人员 | 竞争对手 | 学校食堂 |
    审计人员 | 那趟末班车
""")

CHINESE_VERBS = _phrases("""
    已经确认了 | 希望讨论 | 悄悄修改了 | 无法解释 | 正在等待 | 拒绝了 | 详细描述了 | 忘记提到 |
    仔细比较了 | 打算更换 | 推迟了 | 抱怨过 | 认真检查了 | 低估了 | 要求我们翻译 | 终于批准了 |
    想要总结 | 误解了 | 非常依赖
""")

CHINESE_OBJECTS = _phrases("""
    延误的货物 | 明年的预算 | 三个不同的方案 | 问卷调查的结果 | 一张金额很大的发票 | 安全说明书 |
    年度会议的安排 | 付款条件 | 会议记录 | 损坏的传感器 | 第二段话的意思 | 机房的温度 | 老港口的历史 |
    几封互相矛盾的邮件 | 数据库迁移的步骤 | 药物的副作用 | 一封礼貌的提醒信 | 穿过山区最便宜的路线 |
    假期的营业时间 | 两张车票的退款 | 最后一章的提纲 | 家里做面包的方法 | 孩子的学习计划 | 这个季度的销售数据
""")

CHINESE_TAILS = _phrases("""
    ，希望在周五之前得到答复 | ，但是没有告诉任何人 | ，因为数字对不上 | ，大约涉及{number}个人 |
    ，费用是{money}元 | ，比预期高出{small}% | ，这件事从{year}年就开始了 |
    ，尽管已经过了{small}天 | ，以免再次耽误 | ，时间在{hour}点左右 | ，详见第{small}节 |
    ，如果可以的话 | ，虽然外面下着大雨 | ，文件编号是{number} | ，而且说明很少 |  |
""")

CHINESE_REQUESTS = _phrases("""
    请帮我把这段话改得更友好一些。 | 请列出最重要的三点。 | 我应该怎么回复他们？ | 能不能用更简单的话解释一下？ |
    请用不超过{small}个字总结上面的内容。 | 请把最后一句翻译成英文。 | 你会推荐哪一个方案？为什么？ |
    给我{small}个标题的建议。 | 第二步我没有看懂，是不是漏了什么？ | 请检查语法，但保留我的语气。 |
    这大概需要多长时间？ | 还有没有别的办法？
""")

CODE_NAMES = _phrases("""
    order | invoice | session | payload | bucket | window | account | customer | record | response | token |
    offset | retry_count | deadline | buffer | row | total_price | user_id | cursor | snapshot | channel | weight |
    node | queue_depth | config | path | entry | timestamp | limit | batch
""")

CODE_FUNCTIONS = _phrases("""
    load_config | parse_row | compute_total | send_reminder | merge_records | validate | fetch_page | retry_later |
    normalise | group_by_day | to_celsius | split_batches | close_session | find_nearest | apply_discount |
    build_index | write_report | is_expired | count_words | rebalance
""")

CODE_TYPES = _phrases("""
    int | str | float | bytes | list[str] | dict[str, int] | Path | datetime | bool | Iterator[int]
""")

PYTHON_BLOCKS = _blocks("""\
def {fn}({a}: {type}, {b}: {type} = None) -> {type}:
    # returns None when {a} is missing
    if {a} is None or len({b}) > {number}:
        raise ValueError(f'{a} must be below {number}, got {{{b}}}')
    return {fn2}({a}, {b}) * {small}
---
for {a}, {b} in enumerate({fn}({c}), start={small}):
    if {b}['{c}'] >= {number}:
        continue
    {c}.append(({a}, {b}.{fn2}()))
---
class {Type}:
    def __init__(self, {a}: {type}, {b}: {type}) -> None:
        self._{a} = {a}
        self._{b} = {b} or []

    def {fn}(self) -> {type}:
        return self._{a}.get('{c}', {money})
---
{a} = {{'{b}': {number}, '{c}': [{small}, {small}, {small}], 'created': '{year}-0{digit}-1{digit}'}}
assert {fn}({a})['{b}'] == {number}
---
with open({a}, encoding='utf-8') as {b}:
    {c} = [line.strip() for line in {b} if line and not line.startswith('#')]
print(f'{{len({c})}} lines, {fn}={{{fn}({c})!r}}')
""")

SCRIPT_BLOCKS = _blocks("""\
export async function {camel}({a}, {{ limit = {number} }} = {{}}) {{
  const {b} = await fetch(`/api/v{digit}/{c}?limit=${{limit}}`);
  if (!{b}.ok) {{
    throw new Error(`{c} failed: ${{{b}.status}}`);
  }}
  return ({c} ?? []).filter((item) => item.{a} > {small}).map((item) => item.{b});
}}
---
const {a} = {{ {b}: {number}, {c}: '{fn}', tags: ['{year}', '{small}'] }};
document.querySelector('#{b}-{digit}').addEventListener('click', () => {{
  console.log({a}.{b} / {money}, {camel}({a}));
}});
---
SELECT {a}.id, {b}, SUM({c}) AS total
FROM {a}s AS {a} LEFT JOIN {b}s USING (id)
WHERE created_at >= '{year}-0{digit}-01' AND {c} < {number}
GROUP BY 1, 2 ORDER BY total DESC LIMIT {small};
""")

CODE_QUESTIONS = _phrases("""
    Why does this raise an exception when the list is empty? | Please refactor the code below and add type hints. |
    请解释下面这段代码的作用，并指出可能的错误： | Write unit tests for the following module. |
    下面的函数运行得很慢，怎样才能优化？ | What is the time complexity of this, and can it be improved? |
    Convert this to TypeScript and keep the comments. | 这段代码在并发的情况下安全吗？请给出修改建议。
""")
