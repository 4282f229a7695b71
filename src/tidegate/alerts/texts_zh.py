"""Notices in Chinese."""

from typing import Final

from tidegate.alerts.words import Phrase, Words, parts
from tidegate.model.alerts import CRITICAL, ESCALATED, FIRING, REPEATED, RESOLVED, TEST, WARNING, WORSE

_UNITS: Final = {"d": "天", "h": "小时", "min": "分钟", "s": "秒"}
_MEASURES: Final = {"ms": " 毫秒", "%": "%"}


def _span(seconds: float) -> str:
    return " ".join(f"{count} {_UNITS[unit]}" for count, unit in parts(seconds))


def _amount(number: str, unit: str) -> str:
    return number + (_MEASURES.get(unit) or (f" {unit}" if unit else ""))


_WAIT: Final = "请求正在排队；切换到备用模型更快的，已自动切换。"
_SHARE: Final = "网关正在削峰排队，避免触发上游限流。"
_BUSY: Final = "调用不受影响，流水暂存本地磁盘，恢复后自动补录。"

CHINESE: Final = Words(
    states={
        FIRING: "【{severity}】",
        WORSE: "【{severity}】（由警告升级）",
        REPEATED: "【{severity}·持续中】",
        ESCALATED: "【{severity}·升级通知】",
        RESOLVED: "【已恢复】",
        TEST: "【测试】",
    },
    severities={WARNING: "警告", CRITICAL: "严重"},
    phrases={
        "queue_wait_ms": Phrase("{what} 排队时间过长", "，平均 {value}", _WAIT),
        "token_utilisation_percent": Phrase("{what} 令牌配额吃紧", "，使用率 {value}", _SHARE),
        "request_utilisation_percent": Phrase("{what} 请求配额吃紧", "，使用率 {value}", _SHARE),
        "error_rate_percent": Phrase("{what} 调用失败率偏高", "，达 {value}", "失败的调用会自动重试或切换到备用模型。"),
        "refusal_rate_percent": Phrase(
            "{what} 网关拒绝率偏高", "，达 {value}", "无法按时完成的请求会立即拒绝，并告知何时可重试。"
        ),
        "fallback_rate_percent": Phrase(
            "{what} 大量调用切换到备用模型", "，占比 {value}", "备用模型正在代替主模型提供服务。"
        ),
        "limited_seconds": Phrase("{what} 持续限流", " {value}", _WAIT),
        "throttled_per_minute": Phrase(
            "{what} 被上游频繁限流", "，每分钟 429 达 {value} 次", "网关已按学到的限额收敛速率，待上游允许后恢复。"
        ),
        "lane_closed_seconds": Phrase(
            "{what} 持续熔断", " {value}", "仅放行单个探测请求，其余请求排队或改走其他线路。"
        ),
        "keys_dead": Phrase("{what} 有密钥被上游拒绝", "，共 {value} 个", "网关已改用同一范围内的其他密钥。"),
        "budget_used_percent": Phrase("{what} 预算即将用尽", "，已用 {value}", "用尽后按该命名空间的策略处理。"),
        "quota_exhausted_in_seconds": Phrase("{what} 配额即将耗尽", "，预计还能用 {value}", _SHARE),
        "journal_behind_bytes": Phrase("{what} 流水入库积压", "，共 {value}", _BUSY),
        "journal_failing_seconds": Phrase(
            "{what} 流水无法写入", "，已持续 {value}", "调用按 on_journal_failure 的设置处理；请检查磁盘。"
        ),
        "database_down_seconds": Phrase("{what} 数据库不可用", "，已持续 {value}", _BUSY),
        "shared_state_lost_seconds": Phrase(
            "{what} 共享状态丢失", "，已持续 {value}", "各工作进程按 on_state_loss 的设置继续服务。"
        ),
        "worker_restarts": Phrase("{what} 工作进程频繁重启", "，五分钟内 {value} 次", "网关会自动拉起退出的进程。"),
        "workers_down": Phrase("{what} 有工作进程未就绪", "，共 {value} 个", "其余进程已接管流量。"),
        "jobs_dead_per_hour": Phrase(
            "{what} 有任务被放弃", "，近一小时 {value} 个", "任务已保留，排除故障后可重新执行。"
        ),
        "drill_failed": Phrase("{what} 备用路径演练未通过", "", "是否继续使用该备用路径，取决于策略中的 drills 设置。"),
        "drill_expired": Phrase("{what} 备用路径证明已过期", "", "网关会按计划重新演练。"),
    },
    labels={
        "provider": "供应商", "scope": "配额范围", "model": "模型", "pool": "资源池", "plan": "策略",
        "namespace": "命名空间", "period": "周期", "node": "节点", "target": "备用目标",
    },
    test_title="告警通道连通性测试",
    test_body="这是一条测试消息，无需处理。",
    others="，另有 {count} 条告警",
    more="……另有 {count} 条",
    lasted="，历时 {span}",
    over="（已恢复，历时 {span}）",
    threshold="{metric} {value}，阈值 {threshold}",
    moment="{moment}（{zone}）",
    node="节点 {name}",
    colon="：",
    comma="，",
    gate="网关",
    metric="指标",
    since="开始时间",
    ended="恢复时间",
    where="对象",
    rule="规则",
    deed="网关处理",
    link="查看详情",
    span=_span,
    amount=_amount,
)  # fmt: skip
