"""Metrics pages of a gate with two workers, one of them held to a part of a CPU."""

PAGE = """\
tidegate_ready 1.0
tidegate_draining 0.0
tidegate_config_version 3.0
# TYPE tidegate_worker_restarts counter
tidegate_worker_restarts_total 2.0
# TYPE tidegate_calls counter
tidegate_calls_total{{worker="0",plan="p",status="2xx"}} {calls}
tidegate_calls_total{{worker="1",plan="p",status="5xx"}} {failed}
# TYPE tidegate_provider_throttled counter
tidegate_provider_throttled_total{{worker="0",provider="a",scope="s",model="m"}} 4.0
token_usage_rate{{model="m"}} 1500.0
tidegate_resident_memory_bytes{{process="control"}} 7.0e+07
tidegate_resident_memory_bytes{{process="worker-0"}} 3.5e+07
tidegate_resident_memory_bytes{{process="worker-1"}} 3.6e+07
tidegate_worker_ready{{worker="0",namespace="",port="8080"}} 1.0
tidegate_worker_ready{{worker="1",namespace="{namespace}",port="8090"}} 0.0
# TYPE tidegate_process_cpu_seconds counter
tidegate_process_cpu_seconds_total{{process="worker-0"}} {cpu}
tidegate_cpu_limit{{worker="1",namespace="{namespace}"}} 0.3
tidegate_cpu_limit_enforced{{worker="1",namespace="{namespace}",reason="{reason}"}} {enforced}
# TYPE tidegate_cpu_periods counter
tidegate_cpu_periods_total{{worker="1",namespace="{namespace}"}} {periods}
# TYPE tidegate_cpu_throttled_periods counter
tidegate_cpu_throttled_periods_total{{worker="1",namespace="{namespace}"}} {held}
tidegate_quota_left{{worker="0",provider="a",scope="s",model="{model}",unit="tokens"}} 250.0
tidegate_quota_limit{{worker="0",provider="a",scope="s",model="{model}",unit="tokens"}} 1000.0
tidegate_lane_open{{worker="0",provider="a",scope="s",model="{model}"}} 0.0
tidegate_queue_calls{{worker="0",pool="main",model="{model}",tier="paid"}} 7.0
tidegate_queue_calls{{worker="0",pool="main",model="{model}",tier="free"}} 0.0
tidegate_queue_oldest_seconds{{worker="0",pool="main",model="{model}"}} 1.5
tidegate_ledger_up 1.0
tidegate_ledger_alarm 0.0
tidegate_ledger_lag_bytes{{journal="worker-0"}} 4096.0
tidegate_ledger_lag_bytes{{journal="worker-1"}} 1000.0
"""


# What a gate tells beside that where it keeps windows, has tenants with limits, and keys that were refused.
MORE = """\
tidegate_quota_left{worker="1",provider="a",scope="s",model="m",unit="tokens"} 400.0
tidegate_quota_limit{worker="1",provider="a",scope="s",model="m",unit="tokens"} 1000.0
tidegate_quota_used{provider="a",scope="s",model="m",unit="tokens"} 700.0
tidegate_limit_known{worker="0",provider="a",scope="s",model="m",unit="tokens",source="headers"} 2000.0
tidegate_limit_known{worker="0",provider="a",scope="s",model="m",unit="tokens",source="refusals"} 900.0
tidegate_lane_open{worker="1",provider="a",scope="s",model="m"} 1.0
tidegate_quota_left{worker="0",provider="b",scope="s",model="m",unit="requests"} 10.0
tidegate_quota_limit{worker="0",provider="b",scope="s",model="m",unit="requests"} 10.0
tidegate_lane_open{worker="0",provider="b",scope="s",model="m"} 1.0
tidegate_tenant_used{worker="0",namespace="team",model="",limit="tpm"} 90.0
tidegate_tenant_used{worker="1",namespace="team",model="",limit="tpm"} 95.0
tidegate_tenant_reserved{worker="0",namespace="team",model="",limit="tpm"} 3.0
tidegate_tenant_limit{worker="0",namespace="team",model="",limit="tpm"} 100.0
tidegate_tenant_limit{worker="1",namespace="team",model="",limit="tpm"} 100.0
tidegate_tenant_used{worker="0",namespace="lab",model="m",limit="money_month"} 1.5
tidegate_tenant_limit{worker="0",namespace="lab",model="m",limit="money_month"} 200.0
# TYPE tidegate_keys_retired counter
tidegate_keys_retired_total{worker="0",provider="a",scope="s"} 3.0
tidegate_keys_retired_total{worker="1",provider="a",scope="s"} 1.0
tidegate_keys_retired_total{worker="0",provider="b",scope="s"} 1.0
# TYPE tidegate_keys_restored counter
tidegate_keys_restored_total{worker="0",provider="a",scope="s"} 1.0
tidegate_keys_restored_total{worker="0",provider="b",scope="s"} 1.0
tidegate_measure_queue_wait_ms{pool="main",model="m"} 230.0
tidegate_measure_lane_closed_seconds{provider="a",scope="s",model="m"} 90.0
tidegate_measure_token_utilisation_percent{provider="a",scope="s",model="m"} 96.0
tidegate_measure_quota_exhausted_in_seconds{provider="a",scope="s",model="m"} 1800.0
tidegate_measure_quota_exhausted_in_seconds{provider="b",scope="s",model="m"} 604800.0
tidegate_alert_threshold{rule="wait",metric="queue_wait_ms",severity="warning"} 200.0
tidegate_alert_threshold{rule="wait",metric="queue_wait_ms",severity="critical"} 500.0
tidegate_alert_threshold{rule="tokens",metric="token_utilisation_percent",severity="critical"} 95.0
tidegate_alert_threshold{rule="ahead",metric="quota_exhausted_in_seconds",severity="warning"} 3600.0
"""


def page(**changes: object) -> str:
    values: dict[str, object] = {
        "calls": 100.0, "failed": 0.0, "cpu": 10.0, "periods": 1000.0, "held": 500.0,
        "namespace": "gold", "model": "m", "reason": "", "enforced": 1.0,
    }  # fmt: skip
    return PAGE.format(**(values | changes))
